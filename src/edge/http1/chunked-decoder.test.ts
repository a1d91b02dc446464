import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { CHUNKED_LIMITS, ChunkedDecoder, type ChunkedFault } from './chunked-decoder.ts';

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Decodes `wire` cut into the given pieces, and says all there is to say about the result. */
function decode(...pieces: Uint8Array[]) {
  let content = '';
  const decoder = new ChunkedDecoder((part) => {
    expect(part.length).toBeGreaterThan(0);
    content += Buffer.from(part).toString('latin1');
  });
  let consumed = 0;
  for (const piece of pieces) {
    const until = decoder.push(piece);
    consumed += until;
    if (until < piece.length) break;
  }
  return {
    content,
    consumed,
    isDone: decoder.isDone,
    fault: decoder.fault,
    contentBytes: decoder.contentBytes,
    trailers: decoder.trailers === null ? null : [...decoder.trailers],
  };
}

const decodeText = (wire: string) => decode(latin1(wire));

describe('ChunkedDecoder reads bodies', () => {
  const bodies: [string, string, string][] = [
    ['an empty body', '0\r\n\r\n', ''],
    ['one chunk', '5\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['several chunks', '1\r\na\r\n2\r\nbc\r\n0\r\n\r\n', 'abc'],
    [
      'upper and lower case digits',
      `a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n`,
      '01234567890123456789a',
    ],
    ['CR and LF within content', '4\r\n\r\n\r\n\r\n0\r\n\r\n', '\r\n\r\n'],
    ['leading zeros within the bound', '0000000000000001\r\na\r\n0000\r\n\r\n', 'a'],
    ['extensions', '1;a\r\nx\r\n1;b=c ; d="e f"\r\ny\r\n0;last\r\n\r\n', 'xy'],
    ['bytes above 127 in content', '2\r\n\xff\xfe\r\n0\r\n\r\n', '\xff\xfe'],
  ];
  test.each(bodies)('%s', (_, wire, content) => {
    expect(decodeText(wire)).toEqual({
      content,
      consumed: wire.length,
      isDone: true,
      fault: null,
      contentBytes: content.length,
      trailers: null,
    });
  });

  test('trailer fields', () => {
    const result = decodeText('1\r\na\r\n0\r\nETag: "x"\r\nServer-Timing:  a;dur=1 \r\n\r\n');
    expect(result.isDone).toBe(true);
    expect(result.trailers).toEqual([
      ['ETag', '"x"'],
      ['Server-Timing', 'a;dur=1'],
    ]);
  });

  test('what follows the end belongs to the next message', () => {
    const body = '1\r\na\r\n0\r\n\r\n';
    expect(decodeText(`${body}HTTP/1.1 200 OK`).consumed).toBe(body.length);
  });

  test('content is handed out as views, not copies', () => {
    const parts: Uint8Array[] = [];
    const wire = latin1('5\r\nhello\r\n0\r\n\r\n');
    new ChunkedDecoder((part) => parts.push(part)).push(wire);
    expect(parts[0]?.buffer).toBe(wire.buffer);
  });

  test('starts where it is told to', () => {
    let content = '';
    const decoder = new ChunkedDecoder((part) => {
      content += Buffer.from(part).toString();
    });
    const wire = latin1('HEAD1\r\na\r\n0\r\n\r\nrest');
    expect(decoder.push(wire, 4)).toBe(wire.length - 4);
    expect(content).toBe('a');
  });

  test('is not done before its end', () => {
    for (const wire of [
      '',
      '5',
      '5\r',
      '5\r\n',
      '5\r\nhel',
      '5\r\nhello',
      '5\r\nhello\r\n',
      '0\r\n',
      '0\r\n\r',
      '0\r\nA: b\r\n',
    ]) {
      const result = decodeText(wire);
      expect(result.isDone).toBe(false);
      expect(result.fault).toBeNull();
    }
  });

  test('a long body may carry a small extension in each chunk', () => {
    const chunk = latin1(`10000;chunk-signature=${'a'.repeat(64)}\r\n${'x'.repeat(65_536)}\r\n`);
    let contentBytes = 0;
    const decoder = new ChunkedDecoder((part) => {
      contentBytes += part.length;
    });
    for (let i = 0; i < 200; i += 1) decoder.push(chunk);
    decoder.push(latin1('0\r\n\r\n'));
    expect(decoder.fault).toBeNull();
    expect(decoder.isDone).toBe(true);
    expect(contentBytes).toBe(200 * 65_536);
  });
});

describe('ChunkedDecoder refuses', () => {
  const { sizeDigitsMax, extensionBytesMax, extensionBytesTotalMax, trailerBytesMax, trailerLinesMax } =
    CHUNKED_LIMITS;
  const perChunk = extensionBytesMax - 1;
  const manyExtensions = `1;${'e'.repeat(perChunk - 1)}\r\na\r\n`.repeat(
    extensionBytesTotalMax / perChunk + 2,
  );
  const faults: [string, string, ChunkedFault][] = [
    ['no size', '\r\n', 'chunk-size-invalid'],
    ['a size of other characters', 'xyz\r\n', 'chunk-size-invalid'],
    ['"0x"', '0x5\r\nhello\r\n', 'chunk-size-invalid'],
    ['a plus sign', '+5\r\nhello\r\n', 'chunk-size-invalid'],
    ['a minus sign', '-5\r\nhello\r\n', 'chunk-size-invalid'],
    ['a space before the size', ' 5\r\nhello\r\n', 'chunk-size-invalid'],
    ['a space after the size', '5 \r\nhello\r\n', 'chunk-size-invalid'],
    ['a tab after the size', '5\t\r\nhello\r\n', 'chunk-size-invalid'],
    ['a space before the extension', '5 ;a\r\nhello\r\n', 'chunk-size-invalid'],
    ['an underscore', '1_0\r\n', 'chunk-size-invalid'],
    ['a bare LF after the size', '5\nhello\r\n', 'chunk-size-invalid'],
    ['a bare CR after the size', '5\rhello', 'chunk-line-unterminated'],
    ['two CRs after the size', '5\r\r\nhello', 'chunk-line-unterminated'],
    ['an extension without a size', ';a\r\n', 'chunk-size-invalid'],
    ['a size beyond 2^53 - 1', '20000000000000\r\n', 'chunk-size-too-large'],
    ['a size that overflows 64 bits', 'ffffffffffffffffff\r\n', 'chunk-size-too-large'],
    ['too many leading zeros', `${'0'.repeat(sizeDigitsMax)}1\r\na`, 'chunk-size-too-large'],
    ['a bare LF in an extension', '5;a\nhello\r\n', 'chunk-extension-invalid'],
    ['NUL in an extension', '5;a\0\r\nhello\r\n', 'chunk-extension-invalid'],
    ['DEL in an extension', '5;a\x7f\r\nhello\r\n', 'chunk-extension-invalid'],
    ['a bare CR in an extension', '5;a\rb\r\nhello\r\n', 'chunk-line-unterminated'],
    ['a long extension', `5;${'a'.repeat(extensionBytesMax)}\r\n`, 'chunk-extension-too-long'],
    ['a body of extensions', manyExtensions, 'chunk-extension-too-long'],
    ['content longer than its chunk', '3\r\nhello\r\n', 'chunk-data-unterminated'],
    ['content ended by LF', '5\r\nhello\n0\r\n\r\n', 'chunk-data-unterminated'],
    ['content ended by CR alone', '5\r\nhello\r0\r\n\r\n', 'chunk-data-unterminated'],
    ['a bare LF at the end', '0\r\n\n', 'trailer-line-unterminated'],
    ['a bare CR at the end', '0\r\n\rx', 'trailer-line-unterminated'],
    ['a bare LF in the trailer', '0\r\nA: b\n\r\n', 'trailer-line-unterminated'],
    ['a bare CR in the trailer', '0\r\nA: b\rc\r\n\r\n', 'trailer-line-unterminated'],
    ['NUL in the trailer', '0\r\nA: \0\r\n\r\n', 'trailer-invalid'],
    ['a trailer line without colon', '0\r\nabc\r\n\r\n', 'trailer-invalid'],
    ['a space before the colon of a trailer', '0\r\nA : b\r\n\r\n', 'trailer-invalid'],
    ['a folded trailer', '0\r\nA: b\r\n c\r\n\r\n', 'trailer-invalid'],
    ['a long trailer section', `0\r\nA: ${'b'.repeat(trailerBytesMax)}`, 'trailer-too-long'],
    ['many trailer lines', `0\r\n${'A: b\r\n'.repeat(trailerLinesMax + 1)}\r\n`, 'trailer-too-long'],
  ];
  test.each(faults)('%s', (_, wire, fault) => {
    const result = decodeText(wire);
    expect(result.fault).toBe(fault);
    expect(result.isDone).toBe(false);
    expect(result.trailers).toBeNull();
    expect(decode(...[...latin1(wire)].map((byte) => Uint8Array.of(byte)))).toEqual(result);
  });

  test('nothing is read after a fault', () => {
    const decoder = new ChunkedDecoder(() => {});
    expect(decoder.push(latin1('5x'))).toBe(1);
    expect(decoder.push(latin1('5\r\nhello'))).toBe(0);
    expect(decoder.fault).toBe('chunk-size-invalid');
  });
});

describe('ChunkedDecoder, for any input', () => {
  const wire = fc.array(
    fc.oneof(
      fc.constantFrom(
        '0\r\n',
        '\r\n',
        '5\r\nhello\r\n',
        '1;a="b"\r\nx\r\n',
        'A: b\r\n',
        '0\r\n\r\n',
        'f',
        '\n',
        '\r',
      ),
      fc.string({ maxLength: 4 }),
    ),
    { maxLength: 12 },
  );

  test('gives the same however the bytes are cut', () => {
    fc.assert(
      fc.property(wire, (tokens) => {
        const bytes = latin1(tokens.join('').replace(/[^\0-\xff]/g, '?'));
        const whole = decode(bytes);
        for (let cut = 0; cut <= bytes.length; cut += 1) {
          expect(decode(bytes.slice(0, cut), bytes.slice(cut))).toEqual(whole);
        }
        expect(decode(...[...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(whole);
      }),
      { numRuns: 300 },
    );
  });

  test('reads back what was encoded', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 })),
        fc.uint8Array(),
        (parts, rest) => {
          let encoded = Buffer.alloc(0);
          for (const part of parts) {
            encoded = Buffer.concat([
              encoded,
              latin1(`${part.length.toString(16)}\r\n`),
              part,
              latin1('\r\n'),
            ]);
          }
          encoded = Buffer.concat([encoded, latin1('0\r\n\r\n')]);
          const result = decode(Buffer.concat([encoded, rest]));
          expect(result.content).toBe(Buffer.concat(parts).toString('latin1'));
          expect(result.isDone).toBe(true);
          expect(result.consumed).toBe(encoded.length);
        },
      ),
    );
  });
});

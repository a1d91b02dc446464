/** The examples of RFC 7541 Appendix C, with the table after each of them. */
import { describe, expect, test } from 'bun:test';
import { HpackDecoder } from './decoder.ts';
import { decodeHex, tableBytes, tableOf } from './inspect.cases.ts';

interface Step {
  readonly wire: string;
  /** "name: value" in the order of the list. */
  readonly list: readonly string[];
  /** The same, newest first. */
  readonly table: readonly string[];
  readonly bytes: number;
}

function linesOf(list: readonly string[]): string[] {
  return list.flatMap((_, i) => (i % 2 === 0 ? [`${list[i]}: ${list[i + 1]}`] : []));
}

function follow(decoder: HpackDecoder, steps: readonly Step[]): void {
  for (const { wire, list, table, bytes } of steps) {
    const decoded = decodeHex(decoder, wire);
    expect(decoded).toBeArray();
    expect(linesOf(decoded as string[])).toEqual([...list]);
    expect(linesOf(tableOf(decoder))).toEqual([...table]);
    expect(tableBytes(decoder)).toBe(bytes);
  }
}

describe('C.1 integers', () => {
  // The only five-bit prefix on the wire is that of a table size. C.1.3 has an eight-bit one, which nothing has.
  const cases: [string, string, number][] = [
    ['C.1.1: 10 in a five-bit prefix', '2a', 10],
    ['C.1.2: 1337 with a five-bit prefix', '3f9a0a', 1337],
  ];
  test.each(cases)('%s', (_, wire, size) => {
    expect(decodeHex(new HpackDecoder(size), wire)).toEqual([]);
    expect(decodeHex(new HpackDecoder(size - 1), wire)).toBe('hpack-table-size-too-large');
  });
});

describe('C.2 representations', () => {
  const cases: [string, string, string, boolean][] = [
    [
      'C.2.1: literal with indexing',
      '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572',
      'custom-key: custom-header',
      true,
    ],
    ['C.2.2: literal without indexing', '040c 2f73 616d 706c 652f 7061 7468', ':path: /sample/path', false],
    ['C.2.3: literal never indexed', '1008 7061 7373 776f 7264 0673 6563 7265 74', 'password: secret', false],
    ['C.2.4: indexed', '82', ':method: GET', false],
  ];
  test.each(cases)('%s', (_, wire, line, isInTable) => {
    follow(new HpackDecoder(4_096), [
      { wire, list: [line], table: isInTable ? [line] : [], bytes: isInTable ? 55 : 0 },
    ]);
  });
});

describe('C.3, C.4 requests', () => {
  function requestsOf(first: string, second: string, third: string): Step[] {
    const authority = ':authority: www.example.com';
    const noCache = 'cache-control: no-cache';
    const custom = 'custom-key: custom-value';
    return [
      {
        wire: first,
        list: [':method: GET', ':scheme: http', ':path: /', authority],
        table: [authority],
        bytes: 57,
      },
      {
        wire: second,
        list: [':method: GET', ':scheme: http', ':path: /', authority, noCache],
        table: [noCache, authority],
        bytes: 110,
      },
      {
        wire: third,
        list: [':method: GET', ':scheme: https', ':path: /index.html', authority, custom],
        table: [custom, noCache, authority],
        bytes: 164,
      },
    ];
  }

  test('C.3: without Huffman code', () => {
    follow(
      new HpackDecoder(4_096),
      requestsOf(
        '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
        '8286 84be 5808 6e6f 2d63 6163 6865',
        '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
      ),
    );
  });

  test('C.4: with Huffman code', () => {
    follow(
      new HpackDecoder(4_096),
      requestsOf(
        '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
        '8286 84be 5886 a8eb 1064 9cbf',
        '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
      ),
    );
  });
});

describe('C.5, C.6 responses, with a table of 256 bytes that lines are evicted from', () => {
  function responsesOf(first: string, second: string, third: string): Step[] {
    const privately = 'cache-control: private';
    const date = 'date: Mon, 21 Oct 2013 20:13:21 GMT';
    const dateLater = 'date: Mon, 21 Oct 2013 20:13:22 GMT';
    const location = 'location: https://www.example.com';
    const gzip = 'content-encoding: gzip';
    const cookie = 'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1';
    return [
      {
        wire: first,
        list: [':status: 302', privately, date, location],
        table: [location, date, privately, ':status: 302'],
        bytes: 222,
      },
      {
        wire: second,
        list: [':status: 307', privately, date, location],
        table: [':status: 307', location, date, privately],
        bytes: 222,
      },
      {
        wire: third,
        list: [':status: 200', privately, dateLater, location, gzip, cookie],
        table: [cookie, gzip, dateLater],
        bytes: 215,
      },
    ];
  }

  test('C.5: without Huffman code', () => {
    follow(
      new HpackDecoder(256),
      responsesOf(
        `4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133
         2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
        '4803 3330 37c1 c0bf',
        `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d
         54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049
         5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31`,
      ),
    );
  });

  test('C.6: with Huffman code', () => {
    follow(
      new HpackDecoder(256),
      responsesOf(
        `4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6
         2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3`,
        '4883 640e ffc1 c0bf',
        `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab
         77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f
         9587 3160 65c0 03ed 4ee5 b106 3d50 07`,
      ),
    );
  });
});

/** First messages of TLS handshakes, byte by byte (RFC 8446 §4.1.2): also such as no library would send. */

export interface HelloParts {
  /** Version of the message, such as 0x0302 for TLS 1.1. */
  readonly version?: number;
  readonly suites?: readonly number[];
  /** All extensions, or null: none, not even the list of them. */
  readonly extensions?: readonly number[] | null;
}

function u16(value: number): number[] {
  return [value >> 8, value & 0xff];
}

function vector(octets: 1 | 2, content: readonly number[]): number[] {
  return [...(octets === 1 ? [content.length] : u16(content.length)), ...content];
}

export function extension(type: number, content: readonly number[]): number[] {
  return [...u16(type), ...vector(2, content)];
}

export function serverNameExtension(name: string): number[] {
  return extension(0, vector(2, [0, ...vector(2, [...Buffer.from(name, 'latin1')])]));
}

/** What a client with elliptic curves says: groups, point formats, signature algorithms of both key types. */
const CURVES = [
  ...extension(10, vector(2, [0x00, 0x1d, 0x00, 0x17])),
  ...extension(11, vector(1, [0])),
  ...extension(13, vector(2, [0x04, 0x03, 0x08, 0x04, 0x04, 0x01])),
];

/** The extensions of a client of TLS 1.2 that asks for `serverName`. */
export function extensionsFor(serverName: string): number[] {
  return [...CURVES, ...serverNameExtension(serverName)];
}

export function helloMessage(parts: HelloParts = {}): number[] {
  const { version = 0x0303, suites = [0x1301], extensions = [] } = parts;
  const body = [
    ...u16(version),
    ...new Array<number>(32).fill(7),
    ...vector(1, [1, 2, 3]),
    ...vector(2, suites.flatMap(u16)),
    ...vector(1, [0]),
    ...(extensions === null ? [] : vector(2, extensions)),
  ];
  return [1, 0, ...u16(body.length), ...body];
}

/** In records of at most `size` bytes. */
export function records(message: readonly number[], size = 16_384): Buffer {
  const all: number[] = [];
  for (let at = 0; at < message.length; at += size) {
    all.push(22, 3, 1, ...vector(2, message.slice(at, at + size)));
  }
  return Buffer.from(all);
}

import { expect, test } from 'bun:test';
import { crc32c } from './crc32c.ts';

/** RFC 3720 appendix B.4, and the check value of the catalogue of CRCs. */
test.each([
  [Buffer.from('123456789'), 0xe3069283],
  [new Uint8Array(32), 0x8a9136aa],
  [new Uint8Array(32).fill(0xff), 0x62a8ab43],
  [Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  [new Uint8Array(0), 0],
])('the checksum of %j', (bytes, due) => {
  expect(crc32c(bytes)).toBe(due);
});

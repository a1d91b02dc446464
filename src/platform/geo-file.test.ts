import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileGeo } from '#core/ip/geo-compile.ts';
import { buildMmdb } from '#core/ip/mmdb.cases.ts';
import { openGeoFile, withChecksum } from './geo-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'perigee-geo-'));
afterAll(() => rmSync(directory, { recursive: true }));

const file = join(directory, 'geo.bin');
const networks = [
  { network: '192.0.2.0/24', city: 'Lagos', country: 'NG', latitude: 6.45, longitude: 3.39 },
  { network: '2001:db8::/32', city: 'Lagos', country: 'NG', latitude: 6.45, longitude: 3.39 },
];
const table = compileGeo({
  ipv4: buildMmdb(4, networks),
  ipv6: buildMmdb(6, networks),
  attribution: 'Example',
});
if (typeof table === 'string') throw new Error(table);
writeFileSync(file, withChecksum(table));

describe('the geography file', () => {
  test('opens with its places and its licence', () => {
    const geo = openGeoFile(file);
    expect([geo.placeCount, geo.attribution]).toEqual([2, 'Example']);
  });

  test.each([
    ['absent', null, 'does not exist'],
    ['empty', new Uint8Array(0), 'not one of Perigee'],
    ['of another kind', new TextEncoder().encode('#!/bin/sh\nexit 0\n# and some more'), 'not one of Perigee'],
    ['cut short', readFileSync(file).subarray(0, -9), 'checksum'],
    ['damaged', readFileSync(file).map((octet, at) => (at === 200 ? octet ^ 1 : octet)), 'checksum'],
    ['of another version', withChecksum(new Uint8Array(64)), 'not a geography file'],
  ])('one that is %s is refused', (what, content, reason) => {
    const path = join(directory, what);
    if (content !== null) writeFileSync(path, content);
    expect(() => openGeoFile(path)).toThrow(reason);
    expect(() => openGeoFile(path)).toThrow(expect.objectContaining({ code: 'unavailable' }));
  });
});

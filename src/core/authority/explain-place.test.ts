import { describe, expect, test } from 'bun:test';
import type { SteeringQuestion } from '../model/messages.ts';
import { snapshotSchema } from '../model/snapshot.ts';
import { compileZone } from './compiled-zone.ts';
import { explainSteering } from './explain.ts';
import { createView } from './view.ts';

const at = (id: string, latitude: number, longitude: number, address: string) => ({
  id,
  name: id,
  location: { latitude, longitude },
  edges: [{ id: `${id}-1`, addresses: [address] }],
});

const snapshot = snapshotSchema.parse({
  format: 1,
  generation: 1,
  digest: '0'.repeat(64),
  zone: {
    name: 'cdn.test',
    nameServers: [{ name: 'ns1.cdn.test', addresses: ['192.0.2.53'] }],
    mailbox: 'hostmaster.cdn.test',
    steeringTtlSeconds: 30,
    negativeTtlSeconds: 30,
  },
  sites: [{ id: 'shop', hosts: ['shop.cdn.test'], origins: [{ url: 'http://192.0.2.1' }] }],
  pops: [at('frankfurt', 50.1, 8.7, '192.0.2.2'), at('los-angeles', 34, -118.2, '192.0.2.3')],
  networks: [{ network: '198.51.100.0/24', location: { latitude: 34, longitude: -118 } }],
  certificates: [],
});
const view = createView(compileZone(snapshot), null, []);
const explain = (clientPlace?: SteeringQuestion['clientPlace']) =>
  explainSteering(view, {
    host: 'shop.cdn.test',
    clientAddress: '198.51.100.7',
    ...(clientPlace === undefined ? {} : { clientPlace }),
  });

describe('explaining for a place that the question names', () => {
  test('the place wins over what is known of the address', () => {
    expect(explain()).toMatchObject({
      chosenPopId: 'los-angeles',
      client: { source: 'operator' },
    });
    const clientPlace = { name: 'Paris', latitude: 48.9, longitude: 2.3, country: 'FR' };
    const explained = explain(clientPlace);
    expect(explained).toMatchObject({
      chosenPopId: 'frankfurt',
      client: { place: 'Paris', latitude: 48.9, longitude: 2.3, country: 'FR', source: 'given' },
    });
    expect(explained.candidates[0]?.distanceKm).toBeGreaterThan(400);
    expect(explained.candidates[0]?.distanceKm).toBeLessThan(550);
  });

  test('and is forgotten with the question', () => {
    expect(explain().chosenPopId).toBe('los-angeles');
  });
});

/**
 * The demo's world as plain values: six POPs, each one edge on a loopback address of its own; one shop
 * whose origin stands in Los Angeles; and users in six other cities, who are measured. `perigee up` seeds
 * the control plane with it and starts one edge per POP; `demo:measure` plays the users.
 */
import type { PopInput } from '#core/model/pop.ts';
import type { SiteInput } from '#core/model/site.ts';
import { formatListenAddress, type ListenAddress } from '#platform/listen-address.ts';
import type { Place } from './distance.ts';

const MINUTE = 60;
const DAY = 86_400;

/** Where the shop's own server stands. */
export const DEMO_ORIGIN_PLACE: Place & { readonly name: string } = {
  name: 'Los Angeles',
  latitude: 34.0522,
  longitude: -118.2437,
};

/** Where the shop's origin listens unless told otherwise (`shop-origin.ts --listen`). */
export const DEMO_ORIGIN_LISTEN = { address: '127.0.0.1', port: 8090 } as const;

/** A POP of the demo: one edge, which listens on `address` and also calls the origin from it. */
export interface DemoPop extends Place {
  readonly id: string;
  readonly name: string;
  readonly edgeId: string;
  readonly address: string;
}

export const DEMO_POPS: readonly DemoPop[] = [
  {
    id: 'lax',
    name: 'Los Angeles',
    latitude: 34.0522,
    longitude: -118.2437,
    edgeId: 'lax-1',
    address: '127.0.1.1',
  },
  {
    id: 'fra',
    name: 'Frankfurt',
    latitude: 50.1109,
    longitude: 8.6821,
    edgeId: 'fra-1',
    address: '127.0.1.2',
  },
  { id: 'bom', name: 'Mumbai', latitude: 19.076, longitude: 72.8777, edgeId: 'bom-1', address: '127.0.1.3' },
  {
    id: 'hkg',
    name: 'Hong Kong',
    latitude: 22.3193,
    longitude: 114.1694,
    edgeId: 'hkg-1',
    address: '127.0.1.4',
  },
  {
    id: 'gru',
    name: 'São Paulo',
    latitude: -23.5505,
    longitude: -46.6333,
    edgeId: 'gru-1',
    address: '127.0.1.5',
  },
  { id: 'los', name: 'Lagos', latitude: 6.5244, longitude: 3.3792, edgeId: 'los-1', address: '127.0.1.6' },
];

/** The same POPs as the control plane takes them. */
export function demoPopInputs(): PopInput[] {
  return DEMO_POPS.map(({ id, name, latitude, longitude, edgeId, address }) => ({
    id,
    name,
    location: { latitude, longitude },
    edges: [{ id: edgeId, addresses: [address] }],
  }));
}

export const DEMO_SITE_ID = 'shop';

export function demoHost(zone: string): string {
  return `${DEMO_SITE_ID}.${zone}`;
}

/** The shop as a site: pages and the API briefly, everything that carries a version in its name for long. */
export function demoSiteInput(zone: string, origin: ListenAddress): SiteInput {
  return {
    id: DEMO_SITE_ID,
    hosts: [demoHost(zone)],
    origins: [{ url: `http://${formatListenAddress(origin)}` }],
    rules: [
      { path: '/api/*', mode: 'respect-origin' },
      {
        path: '/assets/*',
        mode: 'override-origin',
        edgeTtlSeconds: 30 * DAY,
        browserTtlSeconds: 60 * MINUTE,
      },
      { contentType: 'text/html', mode: 'override-origin', edgeTtlSeconds: 5 * MINUTE, browserTtlSeconds: 0 },
    ],
    staleWhileRevalidateSeconds: 60,
    staleIfErrorSeconds: DAY,
  };
}

/** A person who opens the shop; `clientAddress` is an address the geography database places in the city. */
export interface DemoUser extends Place {
  readonly city: string;
  readonly clientAddress: string;
}

/** None of them lives where a POP stands: the nearest is 360 to 850 km away. */
export const DEMO_USERS: readonly DemoUser[] = [
  { city: 'San Francisco', latitude: 37.7749, longitude: -122.4194, clientAddress: '138.202.0.1' },
  { city: 'Rio de Janeiro', latitude: -22.9068, longitude: -43.1729, clientAddress: '139.82.0.1' },
  { city: 'London', latitude: 51.5072, longitude: -0.1276, clientAddress: '128.40.0.1' },
  { city: 'Taipei', latitude: 25.033, longitude: 121.5654, clientAddress: '140.112.0.1' },
  { city: 'Accra', latitude: 5.6037, longitude: -0.187, clientAddress: '41.215.160.1' },
  { city: 'Bengaluru', latitude: 12.9716, longitude: 77.5946, clientAddress: '14.139.128.1' },
];

/** The POP that owns a loopback address, or null: how the origin's distance is known. */
export function demoPopAt(address: string): DemoPop | null {
  // A dual-stack listener reports IPv4 peers in IPv6 form.
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address;
  return DEMO_POPS.find((pop) => pop.address === plain) ?? null;
}

/** The zone that all servers of the DNS bench answer for, and the map of networks for those without geography. */
import { createScratch } from '#core/authority/answer.ts';
import { compileZone } from '#core/authority/compiled-zone.ts';
import { createView } from '#core/authority/view.ts';
import { popSchema } from '#core/model/pop.ts';
import { siteSchema } from '#core/model/site.ts';
import { type Snapshot, snapshotSchema } from '#core/model/snapshot.ts';
import { choosePop } from '#core/steering/choose.ts';
import { locate } from '#core/steering/locate.ts';
import { ensureGeoFile } from '#nameserver/ensure-geo-file.ts';
import { defaultGeoFile } from '#nameserver/geo-package.ts';
import { openGeoFile } from '#platform/geo-file.ts';
import { snapshotDigest } from '#platform/snapshot-holder.ts';

const PLACES: readonly (readonly [string, number, number])[] = [
  ['lax', 34.05, -118.24],
  ['fra', 50.11, 8.68],
  ['bom', 19.07, 72.88],
  ['hkg', 22.3, 114.17],
  ['gru', -23.55, -46.63],
  ['los', 6.45, 3.39],
];

/** POPs and the one address of each. */
export const POPS: readonly { readonly id: string; readonly address: string }[] = PLACES.map(
  ([id], index) => ({
    id,
    address: `192.0.2.${index + 1}`,
  }),
);

export function buildSnapshot(): Snapshot {
  const content = {
    format: 1 as const,
    generation: 1,
    zone: {
      name: 'cdn.test',
      nameServers: [{ name: 'ns1.cdn.test', addresses: ['127.0.0.1'] }],
      mailbox: 'hostmaster.cdn.test',
      steeringTtlSeconds: 30,
      negativeTtlSeconds: 30,
    },
    sites: [
      siteSchema.parse({ id: 'shop', hosts: ['shop.cdn.test'], origins: [{ url: 'http://127.0.0.1:9' }] }),
    ],
    pops: PLACES.map(([id, latitude, longitude], index) =>
      popSchema.parse({
        id,
        name: id,
        location: { latitude, longitude },
        edges: [{ id: `${id}-1`, addresses: [POPS[index]?.address ?? ''] }],
      }),
    ),
    networks: [],
    certificates: [],
  };
  return snapshotSchema.parse({ ...content, digest: snapshotDigest(content) });
}

/** Every /16 from 1.0.0.0 to 222.255.0.0 with the address of its POP. */
export async function mapNetworks(): Promise<
  { readonly network: string; readonly pop: (typeof POPS)[number] }[]
> {
  await ensureGeoFile(defaultGeoFile());
  const view = createView(compileZone(buildSnapshot()), openGeoFile(defaultGeoFile()), []);
  const { located } = createScratch('');
  const networks: { network: string; pop: (typeof POPS)[number] }[] = [];
  for (let prefix = 0x0100; prefix < 0xdf00; prefix += 1) {
    locate(view.locator, { family: 4, word0: (prefix << 16) >>> 0, word1: 0, word2: 0, word3: 0 }, located);
    const chosen = choosePop(
      view.zone.steering,
      view.orders,
      view.health,
      located.place,
      located.networkHash,
      0,
    );
    const pop = POPS[chosen];
    if (pop !== undefined) networks.push({ network: `${prefix >> 8}.${prefix & 255}.0.0/16`, pop });
  }
  return networks;
}

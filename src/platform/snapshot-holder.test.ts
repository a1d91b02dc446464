import { afterAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SNAPSHOT_FORMAT, type Snapshot } from '#core/model/snapshot.ts';
import { createLocalHub } from './local-bus.ts';
import { createSilentLogger } from './log.ts';
import { holdSnapshot, snapshotDigest } from './snapshot-holder.ts';

const directory = mkdtempSync(join(tmpdir(), 'perigee-snapshot-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function snapshot(generation: number): Snapshot {
  const content: Omit<Snapshot, 'digest'> = {
    format: SNAPSHOT_FORMAT,
    generation,
    zone: {
      name: 'cdn.test',
      nameServers: [{ name: 'ns1.cdn.test', addresses: ['127.0.0.1'] }],
      mailbox: 'hostmaster.cdn.test',
      steeringTtlSeconds: 30,
      negativeTtlSeconds: 60,
    },
    sites: [],
    pops: [
      {
        id: `pop${generation}`,
        name: 'Here',
        location: null,
        state: 'active',
        edges: [{ id: 'e', addresses: ['192.0.2.1'] }],
      },
    ],
    networks: [],
    certificates: [],
  };
  return { ...content, digest: snapshotDigest(content) };
}

let files = 0;
async function hold(file = join(directory, `${++files}.json`)) {
  const hub = createLocalHub();
  const swapped: number[] = [];
  let refuse = false;
  const holder = await holdSnapshot({
    bus: hub.join('edge:a/0'),
    file,
    log: createSilentLogger(),
    onSwap: ({ generation }) => {
      if (refuse) throw new Error('cannot be compiled');
      swapped.push(generation);
    },
  });
  const refuseNext = () => {
    refuse = true;
  };
  return { holder, swapped, file, control: hub.join('control'), refuseNext };
}

describe('the snapshot in force', () => {
  test('is swapped whole, kept on disk for its owner alone, and found again', async () => {
    const { holder, swapped, file, control } = await hold();
    expect(holder.current()).toBeNull();
    control.publish('snapshot', snapshot(1));
    control.publish('snapshot', snapshot(2));
    expect(swapped).toEqual([1, 2]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const again = await hold(file);
    expect(again.holder.current()?.generation).toBe(2);
  });

  test('one kept by a former release counts, what it lacks filled in', async () => {
    const { zone, ...rest } = snapshot(4);
    const site = { id: 'old', hosts: ['old.example'], origins: [{ url: 'http://192.0.2.1' }] };
    const former = { ...rest, zone, sites: [site] } as unknown as Snapshot;
    const file = join(directory, 'former.json');
    writeFileSync(file, JSON.stringify({ ...former, digest: snapshotDigest(former) }));
    const { holder, swapped } = await hold(file);
    expect(swapped).toEqual([4]);
    expect(holder.current()?.sites[0]).toMatchObject({ minTlsVersion: '1.2', clientCertificates: null });
  });

  test('is not swapped for the same one published again', async () => {
    const { swapped, control } = await hold();
    control.publish('snapshot', snapshot(1));
    control.publish('snapshot', snapshot(1));
    expect(swapped).toEqual([1]);
  });

  test.each<[string, (good: Snapshot) => unknown]>([
    ['a wrong digest', (good) => ({ ...good, digest: 'f'.repeat(64) })],
    ['changed content', (good) => ({ ...good, pops: [] })],
    ['a missing part', ({ zone: _, ...rest }) => rest],
    ['an older generation', () => snapshot(1)],
    ['something else', () => 'nonsense'],
  ])('stays when the next one has %s', async (_, spoil) => {
    const { holder, control, file } = await hold();
    control.publish('snapshot', snapshot(5));
    control.publish('snapshot', spoil(snapshot(6)) as Snapshot);
    expect(holder.current()?.generation).toBe(5);
    expect((await hold(file)).holder.current()?.generation).toBe(5);
  });

  test('stays when the plane cannot use the next one', async () => {
    const { holder, control, refuseNext } = await hold();
    control.publish('snapshot', snapshot(1));
    refuseNext();
    control.publish('snapshot', snapshot(2));
    expect(holder.current()?.generation).toBe(1);
  });

  test('a broken file is no obstacle', async () => {
    const file = join(directory, 'broken.json');
    writeFileSync(file, '{"format":1,');
    const { holder, control } = await hold(file);
    expect(holder.current()).toBeNull();
    control.publish('snapshot', snapshot(3));
    expect(holder.current()?.generation).toBe(3);
    expect(existsSync(file)).toBe(true);
  });
});

describe('waiting for a generation', () => {
  test('ends at once when it is in force, else when it comes', async () => {
    const { holder, control } = await hold();
    await holder.reached(0);
    const reached = holder.reached(4);
    control.publish('snapshot', snapshot(3));
    control.publish('snapshot', snapshot(5));
    await reached;
    expect(holder.current()?.generation).toBe(5);
    await holder.reached(5);
  });

  test('fails with the reason when what the bus brings is refused', async () => {
    const { holder, control } = await hold();
    control.publish('snapshot', snapshot(3));
    const reached = holder.reached(4).then(
      () => 'reached',
      (error: Error) => error.message,
    );
    control.publish('snapshot', { ...snapshot(4), digest: 'f'.repeat(64) });
    expect(await reached).toBe(
      'generation 4 is in force, but this part refused it: its content does not match its digest',
    );
  });
});

/** A road without listeners, for tests that hand it exchanges of their own. */
import { PurgeTable } from '#core/caching/purge-table.ts';
import { siteSchema } from '#core/model/site.ts';
import type { Snapshot } from '#core/model/snapshot.ts';
import { Collapse } from '#edge/collapse.ts';
import { Configuration } from '#edge/configuration.ts';
import { FailureLog } from '#edge/failure-log.ts';
import { Geography } from '#edge/geography.ts';
import { createHttp1Client } from '#edge/origin/http1-client.ts';
import { Popular } from '#edge/popular.ts';
import { Recorder } from '#edge/record.ts';
import type { Road } from '#edge/road.ts';
import { SearchRules } from '#edge/search-rules.ts';
import type { Storage } from '#edge/storage/storage.ts';
import { Tunnels } from '#edge/tunnels.ts';
import type { Clock } from '#platform/clock.ts';
import { createLocalHub } from '#platform/local-bus.ts';
import { createSilentLogger } from '#platform/log.ts';

/** With the site `shop` of www.example.com; its origin is one that nobody is at, unless given. */
export function makeTestRoad(storage: Storage, clock: Clock, originUrl = 'http://127.0.0.1:9'): Road {
  const log = createSilentLogger();
  const bus = createLocalHub().join('edge:a/0');
  const recorder = new Recorder({ bus, clock, log, popId: 'here', isAccessLogged: true });
  recorder.close();
  const site = siteSchema.parse({ id: 'shop', hosts: ['www.example.com'], origins: [{ url: originUrl }] });
  return {
    storage,
    originClient: createHttp1Client({ egressAddress: null, clock }),
    collapse: new Collapse(),
    purges: new PurgeTable(),
    recorder,
    failureLog: new FailureLog(clock, log),
    tunnels: new Tunnels(),
    clock,
    log,
    searchRules: new SearchRules(),
    geography: new Geography(null, clock, log),
    trace: null,
    popular: new Popular(clock),
    configuration: new Configuration({
      generation: 1,
      sites: [site],
      zone: { name: 'cdn.test' },
    } as unknown as Snapshot),
    backgroundValidations: 0,
  };
}

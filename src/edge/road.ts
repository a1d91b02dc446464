/** What the steps of the road work with: one per worker, handed down from `edge.ts`. */
import type { PurgeTable } from '#core/caching/purge-table.ts';
import type { Clock } from '#platform/clock.ts';
import type { Logger } from '#platform/log.ts';
import type { Collapse } from './collapse.ts';
import type { Configuration } from './configuration.ts';
import type { FailureLog } from './failure-log.ts';
import type { Geography } from './geography.ts';
import type { OriginClient } from './origin/origin-client.ts';
import type { Popular } from './popular.ts';
import type { Recorder } from './record.ts';
import type { SearchRules } from './search-rules.ts';
import type { Storage } from './storage/storage.ts';
import type { TraceLog } from './trace-log.ts';
import type { Tunnels } from './tunnels.ts';

export interface Road {
  readonly storage: Storage;
  readonly originClient: OriginClient;
  readonly collapse: Collapse;
  readonly purges: PurgeTable;
  readonly recorder: Recorder;
  readonly failureLog: FailureLog;
  readonly tunnels: Tunnels;
  readonly clock: Clock;
  readonly log: Logger;
  readonly geography: Geography;
  readonly searchRules: SearchRules;
  readonly popular: Popular;
  /** Null: nothing is traced. */
  readonly trace: TraceLog | null;
  /** Null until a snapshot is known; replaced whole. */
  configuration: Configuration | null;
  /** Background validations under way. */
  backgroundValidations: number;
}

/** The machine a bench ran on. */
import { arch, cpus, release, totalmem, type } from 'node:os';
import type { Machine } from '../bench-result.ts';

export function describeMachine(): Machine {
  const processors = cpus();
  return {
    processor: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    memoryBytes: totalmem(),
    system: `${type()} ${release()} ${arch()}`,
  };
}

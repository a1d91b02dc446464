/** The options of `perigee up` about where responses are stored. */
import { resolve } from 'node:path';
import { AppError } from '#core/base/app-error.ts';

const UNITS: Readonly<Record<string, number>> = { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 };
const SIZE = /^(\d{1,7})(KiB|MiB|GiB|TiB)$/;
/** Below it a few large responses are all there is room for. */
const MEMORY_BYTES_MIN = 16 * 1024 ** 2;
const MEMORY_BYTES_MAX = 256 * 1024 ** 3;

/** Bytes of a size such as `512MiB`. Throws AppError `invalid`, naming the option. */
export function readSize(text: string, option: string, min: number, max: number): number {
  const [, number, unit] = SIZE.exec(text) ?? [];
  const bytes = Number(number) * (UNITS[unit ?? ''] ?? Number.NaN);
  if (!(bytes >= min && bytes <= max)) {
    throw new AppError(
      'invalid',
      `${option}${option.endsWith('=') ? '' : ' '}${text}: must be a size from ${sizeText(min)} to ${sizeText(max)}, such as 512MiB or 4GiB`,
    );
  }
  return bytes;
}

export function readMemoryBytes(text: string): number {
  return readSize(text, '--memory', MEMORY_BYTES_MIN, MEMORY_BYTES_MAX);
}

export interface DiskOption {
  readonly path: string;
  readonly byteLength: number;
}

const DISK_BYTES_MIN = 256 * 1024 ** 2;
const DISK_BYTES_MAX = 64 * 1024 ** 4;

/** `PATH=SIZE`. */
export function readDisk(text: string): DiskOption {
  const equals = text.lastIndexOf('=');
  if (equals < 1) {
    throw new AppError('invalid', `--disk ${text}: must be PATH=SIZE, such as /var/cache/perigee=200GiB`);
  }
  const byteLength = readSize(
    text.slice(equals + 1),
    `--disk ${text.slice(0, equals)}=`,
    DISK_BYTES_MIN,
    DISK_BYTES_MAX,
  );
  return { path: resolve(text.slice(0, equals)), byteLength };
}

/** Per second; null: as much as comes. */
export function readDiskWrites(text: string | undefined): number | null {
  return text === undefined ? null : readSize(text, '--disk-writes', 64 * 1024, 100 * 1024 ** 3);
}

/** Where the workers' shared memory is made: a path, or null for none; undefined: where the system has a place for it. */
export function readMemoryFile(text: string | undefined): string | null | undefined {
  if (text === undefined) return undefined;
  if (text.trim() === '') {
    throw new AppError('invalid', '--memory-file: must be a path, such as /dev/shm/perigee, or none');
  }
  return text === 'none' ? null : resolve(text);
}

function sizeText(bytes: number): string {
  const [unit = 'KiB', size = 1024] = Object.entries(UNITS).findLast(([, each]) => bytes >= each) ?? [];
  return `${bytes / size}${unit}`;
}

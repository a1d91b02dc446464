/**
 * Which room may import which, and why not the others (ARCHITECTURE.md has the picture). A room is a
 * folder; a file belongs to the longest room that its path begins with.
 */
export interface Room {
  readonly path: string;
  /** Rooms of the project it may import beside itself. */
  readonly mayImport: readonly string[];
  readonly why: string;
}

const CORE_LEAVES = ['src/core/http', 'src/core/dns', 'src/core/ip'];
const CORE_ALL = [
  'src/core/base',
  ...CORE_LEAVES,
  'src/core/model',
  'src/core/contract',
  'src/core/caching',
  'src/core/steering',
  'src/core/authority',
  'src/core/simulation',
];
const PLANES = ['src/edge', 'src/nameserver', 'src/health', 'src/control', 'src/cli'];

const ROOMS: readonly Room[] = [
  { path: 'src/core/base', mayImport: [], why: 'knows nothing of CDNs' },
  { path: 'src/core/http', mayImport: ['src/core/base'], why: 'the protocol, not what we do with it' },
  { path: 'src/core/dns', mayImport: ['src/core/base'], why: 'the protocol, not whose zone it is' },
  { path: 'src/core/ip', mayImport: ['src/core/base'], why: 'addresses and tables, not whose they are' },
  {
    path: 'src/core/model',
    mayImport: ['src/core/base', ...CORE_LEAVES],
    why: 'what operators speak of, free of judgement',
  },
  {
    path: 'src/core/contract',
    mayImport: ['src/core/base', ...CORE_LEAVES, 'src/core/model'],
    why: 'the API as data',
  },
  {
    path: 'src/core/caching',
    mayImport: ['src/core/base', ...CORE_LEAVES, 'src/core/model'],
    why: 'judges without storing',
  },
  {
    path: 'src/core/steering',
    mayImport: ['src/core/base', ...CORE_LEAVES, 'src/core/model'],
    why: 'ranks without answering',
  },
  {
    path: 'src/core/authority',
    mayImport: ['src/core/base', ...CORE_LEAVES, 'src/core/model', 'src/core/steering'],
    why: 'answers from values alone',
  },
  { path: 'src/core/simulation', mayImport: ['src/core/base'], why: 'what a cache would do, without one' },
  { path: 'src/platform', mayImport: CORE_ALL, why: 'the outside world, below every plane' },
  { path: 'src/edge', mayImport: [...CORE_ALL, 'src/platform'], why: 'planes meet in data, never in code' },
  {
    path: 'src/nameserver',
    mayImport: [...CORE_ALL, 'src/platform', 'src/health'],
    why: 'planes meet in data, never in code',
  },
  { path: 'src/health', mayImport: [...CORE_ALL, 'src/platform'], why: 'a table that others read' },
  {
    path: 'src/control',
    mayImport: [...CORE_ALL, 'src/platform'],
    why: 'planes meet in data, never in code',
  },
  { path: 'src/cli', mayImport: [...CORE_ALL, 'src/platform'], why: 'a client of the API like any other' },
  {
    path: 'src/main',
    mayImport: [...CORE_ALL, 'src/platform', ...PLANES, 'demo'],
    why: 'the only place that wires',
  },
  {
    path: 'demo',
    mayImport: [...CORE_ALL, 'src/platform', 'src/cli'],
    why: 'stands outside the product: what runs beside it, and users of it',
  },
  {
    path: 'console',
    mayImport: ['src/core/base', 'src/core/contract', 'src/core/model'],
    why: 'runs in a browser',
  },
];

/** The room a file belongs to, or null for tests, benchmarks and scripts, which may import anything. */
export function roomOf(path: string): Room | null {
  const rooms = ROOMS.filter((room) => path === room.path || path.startsWith(`${room.path}/`));
  return rooms.sort((a, b) => b.path.length - a.path.length)[0] ?? null;
}

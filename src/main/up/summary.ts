/** What `perigee up` says once everything answers: where things are and what to try first. */
import { resolve } from 'node:path';
import { DEFAULT_API_URL, DEFAULT_DATA_DIRECTORY } from '#cli/connection.ts';
import { formatListenAddress, type ListenAddress } from '#platform/listen-address.ts';
import { DEMO_POPS, demoHost } from '../../../demo/plan.ts';
import type { UpOptions } from './options.ts';
import { adminTokenFile, type RunningCdn, reachable } from './up.ts';

/** Where the demo's measurement looks when it is told nothing. */
const DEFAULT_DNS = '127.0.0.1:8053';
const DEFAULT_HTTP_PORT = 8080;

/** Lines for the terminal. `adminToken` goes into the console's link, after `#`, which browsers never send. */
export function summary(options: UpOptions, cdn: RunningCdn, adminToken: string): string {
  const api = `http://${formatListenAddress(reachable(cdn.api))}`;
  const http = formatListenAddress(reachable(cdn.http));
  const lines = [
    `Perigee is up: zone ${options.zoneName}, generation ${cdn.generation}.`,
    '',
    `  Console  ${api}/#token=${adminToken}`,
    `  API      ${api}/api/v1  (token in ${adminTokenFile(options)}; documentation at /api/v1/openapi.json)`,
    `  Edge     http://${http}  https://${formatListenAddress(reachable(cdn.https))}  (authority at ${api}/ca.pem)`,
    ...(options.hasHttp3
      ? [`  HTTP/3   ${formatListenAddress(reachable(cdn.https))}, UDP; experimental`]
      : []),
    `  DNS      ${formatListenAddress(cdn.dns)}, UDP and TCP`,
    '',
  ];
  if (options.hasDemo) lines.push(...demoLines(options, cdn));
  else {
    const add = 'npm run perigee -- site add www.example.com --origin http://192.0.2.1';
    lines.push(`Add a site:  ${[add, ...whereabouts(options, cdn)].join(' ')}`, '');
  }
  lines.push('Ctrl-C ends it.', '');
  return lines.join('\n');
}

/** The same for programs: one line of JSON; the token stays in its file. */
export function jsonSummary(options: UpOptions, cdn: RunningCdn): string {
  const { zoneName: zone } = options;
  const { generation } = cdn;
  const place = (address: ListenAddress) => formatListenAddress(reachable(address));
  const https = place(cdn.https);
  const http3 = options.hasHttp3 ? https : null;
  const places = { api: place(cdn.api), dns: place(cdn.dns), http: place(cdn.http), https, http3 };
  return `${JSON.stringify({ zone, generation, ...places, adminTokenFile: adminTokenFile(options) })}\n`;
}

/** Where this CDN is, as options of the commands that are shown; nothing where they find it by themselves. */
function whereabouts(options: UpOptions, cdn: RunningCdn): string[] {
  const api = `http://${formatListenAddress(reachable(cdn.api))}`;
  const words: string[] = [];
  if (api !== DEFAULT_API_URL) words.push('--api', api);
  if (options.dataDirectory !== resolve(DEFAULT_DATA_DIRECTORY))
    words.push('--data', shellWord(options.dataDirectory));
  return words;
}

/** Like `whereabouts`, for the demo's measurement. */
function measureWhereabouts(options: UpOptions, cdn: RunningCdn): string[] {
  const words = whereabouts(options, cdn);
  const dns = formatListenAddress(cdn.dns);
  if (dns !== DEFAULT_DNS) words.push('--dns', dns);
  if (cdn.http.port !== DEFAULT_HTTP_PORT) words.push('--http-port', String(cdn.http.port));
  return words.length === 0 ? [] : ['--', ...words];
}

function shellWord(text: string): string {
  return /^[\w./:@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function demoLines(options: UpOptions, cdn: RunningCdn): string[] {
  const host = demoHost(options.zoneName);
  const { address, port } = cdn.dns;
  const places = DEMO_POPS.map(({ name, address: at }) => `${name} ${at}`).join(', ');
  return [
    `Demo: a shop at ${host}, its origin "in Los Angeles", and six POPs: ${places}.`,
    `  curl -i --connect-to ::${formatListenAddress(reachable(cdn.http))} http://${host}:${cdn.http.port}/`,
    `  dig @${address} -p ${port} ${host} +short +subnet=18.208.0.0/16`,
    `  ${['npm run perigee -- explain', `http://${host}/`, '--from Berlin', ...whereabouts(options, cdn)].join(' ')}`,
    `  ${['npm run demo:measure', ...measureWhereabouts(options, cdn)].join(' ')}`,
    '',
  ];
}

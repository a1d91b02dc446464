/** What `perigee up` says once everything answers: where things are and what to try first. */
import { formatListenAddress, type ListenAddress } from '#platform/listen-address.ts';
import { DEMO_POPS, demoHost } from '../../../demo/plan.ts';
import type { UpOptions } from './options.ts';
import { adminTokenFile, type RunningCdn, reachable } from './up.ts';

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
    `  DNS      ${formatListenAddress(cdn.dns)}, UDP and TCP`,
    '',
  ];
  if (options.hasDemo) lines.push(...demoLines(options, cdn));
  else lines.push('Add a site:  npm run perigee -- site add www.example.com --origin http://192.0.2.1', '');
  lines.push('Ctrl-C ends it.', '');
  return lines.join('\n');
}

/** The same for programs: one line of JSON; the token stays in its file. */
export function jsonSummary(options: UpOptions, cdn: RunningCdn): string {
  const { zoneName: zone } = options;
  const { generation } = cdn;
  const place = (address: ListenAddress) => formatListenAddress(reachable(address));
  const places = { api: place(cdn.api), dns: place(cdn.dns), http: place(cdn.http), https: place(cdn.https) };
  return `${JSON.stringify({ zone, generation, ...places, adminTokenFile: adminTokenFile(options) })}\n`;
}

function demoLines(options: UpOptions, cdn: RunningCdn): string[] {
  const host = demoHost(options.zoneName);
  const { address, port } = cdn.dns;
  const places = DEMO_POPS.map(({ name, address: at }) => `${name} ${at}`).join(', ');
  return [
    `Demo: a shop at ${host}, its origin "in Los Angeles", and six POPs: ${places}.`,
    `  curl -i --connect-to ::${formatListenAddress(reachable(cdn.http))} http://${host}:${cdn.http.port}/`,
    `  dig @${address} -p ${port} ${host} +short +subnet=18.208.0.0/16`,
    `  npm run perigee -- explain http://${host}/ --from Berlin`,
    '  npm run demo:measure',
    '',
  ];
}

/**
 * `/metrics` in Prometheus' text format: what every part counts, by part, and the traffic of sites by site
 * and POP. The registry is made for each answer, as its figures are the parts' and not this process's.
 */
import { Counter, Gauge, Registry } from 'prom-client';
import type { PartStatus } from '#core/model/messages.ts';
import { CONTROL_LIMITS } from '../limits.ts';
import type { Census } from '../services/parts.ts';
import type { SiteTotal } from '../traffic/site-totals.ts';

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]{0,199}$/;

/** Content type and text of the answer. */
export async function renderMetrics(
  census: Census,
  totals: Iterable<SiteTotal>,
): Promise<{ readonly contentType: string; readonly text: string }> {
  const registry = new Registry();
  addPartGauges(registry, census);
  addTraffic(registry, totals);
  const ownNames = new Set(registry.getMetricsAsArray().map(({ name }) => name));
  for (const answer of census.answers) addPartCounters(registry, answer, ownNames);
  return { contentType: registry.contentType, text: await registry.metrics() };
}

function addPartGauges(registry: Registry, census: Census): void {
  const registers = [registry];
  const labelNames = ['part'] as const;
  const gauge = (name: string, help: string) => new Gauge({ name, help, labelNames, registers });
  new Gauge({ name: 'perigee_generation', help: 'Generation published last', registers }).set(
    census.generation,
  );
  const ready = gauge('perigee_part_ready', '1 when the part has the current generation');
  const generation = gauge('perigee_part_generation', 'Generation that the part has in force');
  const resident = gauge('perigee_part_resident_bytes', 'Memory of the process');
  const started = gauge('perigee_part_started_seconds', 'When the part started, seconds since the epoch');
  const stored = gauge('perigee_stored_responses', 'Stored responses of an edge worker');
  const bytes = gauge('perigee_stored_body_bytes', 'Body bytes of the stored responses');
  const budget = gauge('perigee_storage_budget_bytes', 'What the storage may hold');
  for (const part of census.parts) {
    const labels = { part: part.part };
    ready.set(labels, part.state === 'ready' ? 1 : 0);
    if (part.generation !== null) generation.set(labels, part.generation);
    if (part.residentBytes !== null) resident.set(labels, part.residentBytes);
    if (part.startedAt !== null) started.set(labels, part.startedAt / 1000);
    if (part.storage === null) continue;
    stored.set(labels, part.storage.storedResponses);
    bytes.set(labels, part.storage.bodyBytes);
    budget.set(labels, part.storage.budgetBytes);
  }
}

/** A part's own counters; what Prometheus could not read is left out rather than spoiling the whole answer. */
function addPartCounters(registry: Registry, answer: PartStatus, ownNames: ReadonlySet<string>): void {
  const entries = Object.entries(answer.counters).slice(0, CONTROL_LIMITS.metricsPerPartMax);
  for (const [name, value] of entries) {
    if (!METRIC_NAME.test(name) || !Number.isFinite(value) || ownNames.has(name)) continue;
    const known = registry.getSingleMetric(name);
    const labels = { part: answer.part };
    if (name.endsWith('_total')) {
      const counter = known ?? new Counter({ name, help: name, labelNames: ['part'], registers: [registry] });
      if (counter instanceof Counter && value >= 0) counter.inc(labels, value);
    } else {
      const gauge = known ?? new Gauge({ name, help: name, labelNames: ['part'], registers: [registry] });
      if (gauge instanceof Gauge) gauge.set(labels, value);
    }
  }
}

function addTraffic(registry: Registry, totals: Iterable<SiteTotal>): void {
  const registers = [registry];
  const labelNames = ['site', 'pop'] as const;
  const counter = (name: string, help: string) => new Counter({ name, help, labelNames, registers });
  const requests = counter('perigee_site_requests_total', 'Requests that users made');
  const hits = counter('perigee_site_hits_total', 'Requests answered from fresh stored responses');
  const misses = counter('perigee_site_misses_total', 'Requests that went to the origin');
  const stale = counter('perigee_site_stale_total', 'Requests answered from stale stored responses');
  const errors = counter('perigee_site_errors_total', 'Requests that could not be answered well');
  const sent = counter('perigee_site_bytes_to_clients_total', 'Bytes sent to users');
  const fetched = counter('perigee_site_bytes_from_origin_total', 'Bytes taken from origins');
  const responses = new Counter({
    name: 'perigee_site_responses_total',
    help: 'Responses by status class',
    labelNames: ['site', 'pop', 'class'],
    registers,
  });
  for (const { siteId, popId, counters } of totals) {
    const labels = { site: siteId, pop: popId };
    requests.inc(labels, counters.requests);
    hits.inc(labels, counters.hits);
    misses.inc(labels, counters.misses);
    stale.inc(labels, counters.stale);
    errors.inc(labels, counters.errors);
    sent.inc(labels, counters.bytesToClients);
    fetched.inc(labels, counters.bytesFromOrigin);
    counters.statusClasses.forEach((count, index) => {
      if (count > 0) responses.inc({ ...labels, class: `${index + 1}xx` }, count);
    });
  }
}

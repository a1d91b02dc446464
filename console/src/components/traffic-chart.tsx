/** Requests or bytes over time, split into what the cache answered and what the origin did. */
import { SegmentedControl, Skeleton } from '@mantine/core';
import { useState } from 'react';
import type { TrafficPoint } from '#core/contract/stats.ts';
import { answeredFromCache, type TrafficView } from '../api/traffic.ts';
import { formatBitRate, formatRate } from '../format/quantity.ts';
import { ChartLegend } from './chart/chart-legend.tsx';
import { TimeChart } from './chart/time-chart.tsx';
import { Panel } from './panel.tsx';

const CHART_HEIGHT = 230;

interface Measure {
  readonly label: string;
  readonly format: (perSecond: number) => string;
  /** The lowest layer first; sums over one step. */
  readonly layers: readonly {
    readonly name: string;
    readonly color: string;
    readonly countOf: (point: TrafficPoint) => number;
  }[];
}

const REQUESTS: Measure = {
  label: 'Requests',
  format: (perSecond) => `${formatRate(perSecond)}/s`,
  layers: [
    { name: 'From the cache', color: 'var(--cache)', countOf: answeredFromCache },
    {
      name: 'From the origin',
      color: 'var(--origin)',
      countOf: (point) => Math.max(0, point.requests - answeredFromCache(point) - point.errors),
    },
    { name: 'Failed', color: 'var(--failed)', countOf: (point) => point.errors },
  ],
};

const BYTES: Measure = {
  label: 'Bytes',
  format: formatBitRate,
  layers: [
    { name: 'From the cache', color: 'var(--cache)', countOf: (point) => point.bytesSaved },
    {
      name: 'From the origin',
      color: 'var(--origin)',
      countOf: (point) => point.bytesToClients - point.bytesSaved,
    },
  ],
};

const MEASURES = [REQUESTS, BYTES];

export function TrafficChart({ view }: { readonly view: TrafficView | undefined }) {
  const [chosen, setChosen] = useState(REQUESTS.label);
  const measure = MEASURES.find(({ label }) => label === chosen) ?? REQUESTS;
  return (
    <Panel
      title="Traffic"
      description={<ChartLegend layers={measure.layers} />}
      actions={
        <SegmentedControl
          size="xs"
          aria-label="What is counted"
          data={MEASURES.map(({ label }) => label)}
          value={chosen}
          onChange={setChosen}
        />
      }
    >
      {view === undefined ? (
        <Skeleton height={CHART_HEIGHT} />
      ) : (
        <TimeChart
          label={`${measure.label} per second over time`}
          height={CHART_HEIGHT}
          from={view.series[0]?.at ?? view.from}
          to={view.series[view.series.length - 1]?.at ?? view.to}
          moments={view.series.map((point) => point.at)}
          layers={measure.layers.map(({ name, color, countOf }) => ({
            name,
            color,
            values: view.series.map((point) => countOf(point) / view.stepSeconds),
          }))}
          formatValue={measure.format}
        />
      )}
    </Panel>
  );
}

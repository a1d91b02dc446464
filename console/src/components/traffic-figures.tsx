/** The key figures of traffic, of the whole CDN or of one site. */
import type { TrafficPoint } from '#core/contract/stats.ts';
import { answeredFromCache, errorRatio, savedRatio, type TrafficView } from '../api/traffic.ts';
import { formatBytes, formatCount, formatMilliseconds, formatRate, formatRatio } from '../format/quantity.ts';
import classes from './figure-tile.module.css';
import { FigureTile } from './figure-tile.tsx';

interface TrafficFiguresProps {
  readonly view: TrafficView | undefined;
  /** Of this moment; undefined while loading. */
  readonly requestsPerSecond: number | undefined;
}

/** Steps in which there was nothing to measure are left out. */
function course(view: TrafficView | undefined, measure: (point: TrafficPoint) => number | null): number[] {
  return view?.series.flatMap((point) => measure(point) ?? []) ?? [];
}

export function TrafficFigures({ view, requestsPerSecond }: TrafficFiguresProps) {
  const totals = view?.totals;
  return (
    <div className={classes.tiles}>
      <FigureTile
        name="Requests per second"
        definition="Mean of the last moments, over all POPs. The line shows the chosen time."
        value={requestsPerSecond === undefined ? undefined : formatRate(requestsPerSecond)}
        detail={totals ? `${formatCount(totals.requests)} in the time shown` : ''}
        color="var(--cache)"
        course={course(view, (point) => point.requests)}
      />
      <FigureTile
        name="Hit ratio"
        definition="Share of requests answered from the cache, stale answers included, without waiting for the origin."
        value={totals && formatRatio(totals.hitRatio)}
        detail={totals ? `${formatCount(answeredFromCache(totals))} from the cache` : ''}
        color="var(--cache)"
        course={course(view, (point) => point.hitRatio)}
      />
      <FigureTile
        name="Bytes saved"
        definition="Bytes that users got and the origin did not have to send."
        value={totals && formatBytes(totals.bytesSaved)}
        detail={
          totals && savedRatio(totals) !== null ? `${formatRatio(savedRatio(totals))} of all bytes` : ''
        }
        color="var(--good)"
        course={course(view, (point) => point.bytesSaved)}
      />
      <FigureTile
        name="First byte"
        definition="Mean time an edge took from reading the request to sending the first byte of the answer. The way between user and edge is not in it."
        value={totals && formatMilliseconds(totals.firstByteMsMean)}
        detail="mean at the edge"
        color="var(--origin)"
        course={course(view, (point) => point.firstByteMsMean)}
      />
      <FigureTile
        name="Errors"
        definition="Share of requests that ended in an error of the origin or of an edge (5xx, or cut off)."
        value={totals && formatRatio(errorRatio(totals))}
        detail={totals ? `${formatCount(totals.errors)} requests` : ''}
        color="var(--failed)"
        course={course(view, (point) => point.errors)}
      />
    </div>
  );
}

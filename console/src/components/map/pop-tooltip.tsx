/** The card beside the POP that is pointed at; it opens towards the middle of the map. */
import { describeState, type PopSituation } from '../../api/pop-situation.ts';
import { formatBitRate, formatRate, formatRatio } from '../../format/quantity.ts';
import { FigureList } from '../figure-list.tsx';
import { PopStateBadge } from '../pop-state-badge.tsx';
import classes from './map.module.css';
import type { MapGround } from './world-map.tsx';

interface PopTooltipProps {
  readonly situation: PopSituation;
  readonly x: number;
  readonly y: number;
  readonly ground: MapGround;
}

const GAP = 16;

export function PopTooltip({ situation, x, y, ground }: PopTooltipProps) {
  const isRight = x > ground.width / 2;
  const isLow = y > ground.height / 2;
  const { sentence } = describeState(situation);
  return (
    <div
      className={classes.tooltip}
      role="status"
      style={{
        left: x + (isRight ? -GAP : GAP),
        top: y,
        transform: `translate(${isRight ? '-100%' : '0'}, ${isLow ? '-80%' : '-20%'})`,
      }}
    >
      <div style={{ display: 'flex', justifyContent: 'space-between', gap: 12, marginBottom: 2 }}>
        <strong>{situation.pop.name}</strong>
        <PopStateBadge situation={situation} />
      </div>
      <div style={{ color: 'var(--ink-soft)', marginBottom: 8 }}>{situation.reason ?? sentence}</div>
      <FigureList
        figures={[
          ['Requests', `${formatRate(situation.requestsPerSecond)}/s`],
          ['To users', formatBitRate(situation.bytesPerSecond)],
          ['Hit ratio', formatRatio(situation.hitRatio)],
        ]}
      />
    </div>
  );
}

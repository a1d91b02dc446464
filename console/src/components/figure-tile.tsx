/** One key figure: its name with its definition, its value, a line below, and its course. */
import { Skeleton, Tooltip } from '@mantine/core';
import { Sparkline } from './chart/sparkline.tsx';
import classes from './figure-tile.module.css';

interface FigureTileProps {
  readonly name: string;
  /** What exactly is counted, in a sentence. */
  readonly definition: string;
  /** Undefined while loading. */
  readonly value: string | undefined;
  readonly detail: string;
  readonly color: string;
  readonly course: readonly number[];
}

export function FigureTile(props: FigureTileProps) {
  return (
    <div className={classes.tile}>
      <Tooltip
        label={props.definition}
        multiline
        maw={260}
        events={{ hover: true, focus: true, touch: true }}
      >
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the definition is shown on focus as it is on hover */}
        <span className={classes.name} tabIndex={0}>
          {props.name}
        </span>
      </Tooltip>
      {props.value === undefined ? (
        <Skeleton height={28} width={90} my={4} />
      ) : (
        <span className={classes.value}>{props.value}</span>
      )}
      <span className={classes.detail}>{props.detail}</span>
      <div className={classes.course}>
        {props.course.length > 1 && <Sparkline values={props.course} color={props.color} />}
      </div>
    </div>
  );
}

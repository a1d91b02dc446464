/** One key figure: its name with its definition, its value, a line below, and its course. */
import { Skeleton } from '@mantine/core';
import { Sparkline } from './chart/sparkline.tsx';
import classes from './figure-tile.module.css';
import { Hint } from './hint.tsx';

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
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for what can be filled in
    <div className={classes.tile} role="group" aria-label={props.name}>
      <span className={classes.name}>
        <Hint text={props.definition}>{props.name}</Hint>
      </span>
      {props.value === undefined ? (
        <Skeleton height={28} width={90} my={4} />
      ) : (
        <strong className={classes.value}>{props.value}</strong>
      )}
      <span className={classes.detail}>{props.detail}</span>
      <div className={classes.course}>
        {props.course.length > 1 && <Sparkline values={props.course} color={props.color} />}
      </div>
    </div>
  );
}

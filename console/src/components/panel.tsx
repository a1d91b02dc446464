/** A part of a page with a heading of its own. */
import { type ReactNode, useId } from 'react';
import classes from './page.module.css';

interface PanelProps {
  readonly title?: ReactNode;
  readonly description?: ReactNode;
  readonly actions?: ReactNode;
  /** The content reaches the panel's edges, as tables and maps do. */
  readonly isFlush?: boolean;
  readonly children: ReactNode;
}

export function Panel(props: PanelProps) {
  const titleId = useId();
  return (
    <section className={classes.panel} aria-labelledby={props.title === undefined ? undefined : titleId}>
      {props.title !== undefined && (
        <div className={classes.panelHeader}>
          <div>
            <h2 id={titleId} className={classes.panelTitle}>
              {props.title}
            </h2>
            {props.description !== undefined && (
              <p className={classes.panelDescription}>{props.description}</p>
            )}
          </div>
          {props.actions}
        </div>
      )}
      <div className={props.isFlush === true ? classes.flush : classes.padded}>{props.children}</div>
    </section>
  );
}

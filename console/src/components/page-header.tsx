/** The top of a page: its name, a sentence, and what can be done on it. */
import type { ReactNode } from 'react';
import { useEffect } from 'react';
import classes from './page.module.css';

interface PageHeaderProps {
  readonly title: string;
  readonly description?: ReactNode;
  /** Above the title, such as the way back to a list. */
  readonly above?: ReactNode;
  readonly actions?: ReactNode;
}

export function PageHeader(props: PageHeaderProps) {
  useEffect(() => {
    document.title = `${props.title} · Perigee`;
  }, [props.title]);
  return (
    <div className={classes.header}>
      <div>
        {props.above}
        <h1 className={classes.title}>{props.title}</h1>
        {props.description !== undefined && <p className={classes.description}>{props.description}</p>}
      </div>
      {props.actions !== undefined && <div className={classes.actions}>{props.actions}</div>}
    </div>
  );
}

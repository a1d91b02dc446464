/** What the colours of a chart mean. */
import classes from './chart.module.css';

export function ChartLegend(props: {
  readonly layers: readonly { readonly name: string; readonly color: string }[];
}) {
  return (
    <ul className={classes.legend}>
      {props.layers.map((layer) => (
        <li key={layer.name}>
          <span className={classes.swatch} style={{ background: layer.color }} />
          {layer.name}
        </li>
      ))}
    </ul>
  );
}

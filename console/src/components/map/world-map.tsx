/**
 * A world map at whatever width there is: the land below, and above it a picture in screen pixels, so that
 * markers and names keep their size on every screen. What is drawn there is the caller's.
 */
import { useElementSize } from '@mantine/hooks';
import type { ReactNode } from 'react';
import { Land } from './land.tsx';
import classes from './map.module.css';
import { MAP_HEIGHT, MAP_WIDTH, projectPlace } from './projection.ts';

export interface MapGround {
  readonly width: number;
  readonly height: number;
  /** Pixels of a place on the ground. */
  readonly locate: (place: { readonly latitude: number; readonly longitude: number }) => {
    readonly x: number;
    readonly y: number;
  };
  /** Pixels per map unit. */
  readonly scale: number;
}

interface WorldMapProps {
  readonly label: string;
  /** Drawn in pixels over the land. */
  readonly picture: (ground: MapGround) => ReactNode;
  /** HTML over everything, such as a tooltip. */
  readonly above?: (ground: MapGround) => ReactNode;
}

export function WorldMap(props: WorldMapProps) {
  const { ref, width } = useElementSize();
  const scale = width / MAP_WIDTH;
  const height = MAP_HEIGHT * scale;
  const ground: MapGround = {
    width,
    height,
    scale,
    locate: (place) => {
      const { x, y } = projectPlace(place);
      return { x: x * scale, y: y * scale };
    },
  };
  return (
    <section className={classes.frame} aria-label={props.label}>
      <div ref={ref} className={classes.map} style={{ aspectRatio: `${MAP_WIDTH} / ${MAP_HEIGHT}` }}>
        <Land />
        {width > 0 && (
          <>
            <svg className={classes.overlay} viewBox={`0 0 ${width} ${height}`} role="presentation">
              {props.picture(ground)}
            </svg>
            {props.above?.(ground)}
          </>
        )}
      </div>
    </section>
  );
}

// Charts that can be read without their colours: a dataset with a number as `pattern` is hatched in its own way.
"use strict";
(() => {
  const SIZE = 8;
  const STROKES = [
    [],
    [[0, 8, 8, 0]],
    [[0, 4, 8, 4]],
    [[4, 0, 4, 8]],
    [[0, 0, 8, 8], [0, 8, 8, 0]],
    [[0, 0, 8, 8]],
    [[0, 4, 8, 4], [4, 0, 4, 8]],
    [[3, 4, 5, 4]],
    [[0, 2, 8, 2], [0, 6, 8, 6]],
    [[2, 0, 2, 8], [6, 0, 6, 8]],
  ];

  const hatch = (colour, strokes) => {
    const tile = document.createElement("canvas");
    tile.width = tile.height = SIZE;
    const brush = tile.getContext("2d");
    brush.fillStyle = colour;
    brush.fillRect(0, 0, SIZE, SIZE);
    brush.strokeStyle = "rgba(255, 255, 255, 0.75)";
    brush.lineWidth = 1.5;
    for (const [fromX, fromY, toX, toY] of strokes) {
      brush.beginPath();
      brush.moveTo(fromX, fromY);
      brush.lineTo(toX, toY);
      brush.stroke();
    }
    return brush.createPattern(tile, "repeat");
  };

  window.Chart?.register({
    id: "mobjects-patterns",
    beforeInit(chart) {
      for (const dataset of chart.data.datasets) {
        const strokes = STROKES[dataset.pattern % STROKES.length];
        if (strokes?.length) {
          dataset.backgroundColor = hatch(dataset.backgroundColor, strokes);
        }
      }
    },
  });
})();

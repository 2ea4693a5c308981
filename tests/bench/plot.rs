//! Draws what `compare.sh` keeps in `figures.csv`: one line of it is `plot,series,x,y`, and the first line of each
//! plot, `plot,title,words` with `x,words` and `y,words`, names it and its axes.

use plotters::prelude::*;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

const SIZE: (u32, u32) = (800, 480);

/// Told apart by people who see colours differently, too (Okabe and Ito).
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(80, 80, 80),
];

/// One picture.
#[derive(Default)]
struct Plot {
    title: String,
    x: String,
    y: String,
    /// In the order of the file.
    series: Vec<(String, Vec<(f64, f64)>)>,
}

/// Draws each plot of `figures.csv` in a directory as an SVG file beside it.
pub fn draw(dir: &Path) {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_path(dir.join("figures.csv"))
        .expect("figures.csv");
    let mut plots: BTreeMap<String, Plot> = BTreeMap::new();
    for record in reader.records() {
        let record = record.expect("a line of figures.csv");
        let plot = plots.entry(record[0].to_owned()).or_default();
        match (&record[1], &record[2]) {
            ("title", words) => plot.title = words.to_owned(),
            ("x", words) => plot.x = words.to_owned(),
            ("y", words) => plot.y = words.to_owned(),
            (series, x) => plot.add(series, number(x), number(&record[3])),
        }
    }
    for (name, plot) in &plots {
        plot.draw(&dir.join(format!("{name}.svg")))
            .expect("a picture");
    }
}

fn number(text: &str) -> f64 {
    text.parse()
        .unwrap_or_else(|_| panic!("{text} is no number"))
}

impl Plot {
    fn add(&mut self, series: &str, x: f64, y: f64) {
        match self.series.iter_mut().find(|(name, _)| name == series) {
            Some((_, points)) => points.push((x, y)),
            None => self.series.push((series.to_owned(), vec![(x, y)])),
        }
    }

    /// From the power of ten below the least to the one above the most.
    fn range(&self, of: impl Fn(&(f64, f64)) -> f64) -> Range<f64> {
        let all = || self.series.iter().flat_map(|(_, points)| points).map(&of);
        let least = all().fold(f64::INFINITY, f64::min);
        let most = all().fold(f64::MIN_POSITIVE, f64::max);
        10f64.powf(least.log10().floor())..10f64.powf(most.log10().ceil())
    }

    fn draw(&self, file: &Path) -> Result<(), Box<dyn std::error::Error>> {
        let root = SVGBackend::new(file, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let (x, y) = (self.range(|point| point.0), self.range(|point| point.1));
        // A decade of room for the legend.
        let y = y.start..10.0 * y.end;
        let mut chart = ChartBuilder::on(&root)
            .caption(&self.title, ("sans-serif", 20))
            .margin(12)
            .margin_right(48)
            .x_label_area_size(50)
            .y_label_area_size(90)
            .build_cartesian_2d(x.log_scale(), y.log_scale())?;
        chart
            .configure_mesh()
            .x_desc(&self.x)
            .y_desc(&self.y)
            .x_label_formatter(&plain)
            .y_label_formatter(&plain)
            .label_style(("sans-serif", 15))
            .light_line_style(WHITE)
            .draw()?;
        for ((name, points), colour) in self.series.iter().zip(COLOURS.iter().cycle()) {
            let style = colour.stroke_width(2);
            chart
                .draw_series(LineSeries::new(points.iter().copied(), style).point_size(4))?
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], style));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .label_font(("sans-serif", 16))
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK.mix(0.3))
            .draw()?;
        root.present()?;
        Ok(())
    }
}

/// 1,000,000 and not 1e6.
#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "as the crate asks for it"
)]
fn plain(value: &f64) -> String {
    if *value < 1.0 {
        return format!("{value}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

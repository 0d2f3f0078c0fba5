using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace ThreatFeeds.Api.Health;

/// <summary>
/// Listens to the meter <c>ThreatFeeds</c> and writes what it measured as Prometheus reads it. OpenTelemetry's exporter for this
/// cannot be installed here; whoever has it can listen to the same meter.
/// </summary>
internal sealed class MetricsText : IDisposable
{
    public const string MeterName = "ThreatFeeds";
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";
    /// <summary>Upper bounds of histograms, made for seconds.</summary>
    private static readonly double[] Bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
    private readonly MeterListener _listener = new();
    private readonly SortedDictionary<string, Family> _families = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();

    public MetricsText()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == MeterName)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((i, value, tags, _) => Record(i, value, tags));
        _listener.SetMeasurementEventCallback<int>((i, value, tags, _) => Record(i, value, tags));
        _listener.SetMeasurementEventCallback<double>((i, value, tags, _) => Record(i, value, tags));
        _listener.Start();
    }

    public string Write()
    {
        _listener.RecordObservableInstruments();
        var text = new StringBuilder();
        lock (_lock)
        {
            foreach ((string name, Family family) in _families)
            {
                family.Write(text, name);
            }
        }
        return text.ToString();
    }

    public void Dispose() => _listener.Dispose();

    private void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        (string type, bool sets) = TypeOf(instrument);
        string labels = LabelsOf(tags);
        lock (_lock)
        {
            string name = NameOf(instrument, type);
            if (!_families.TryGetValue(name, out Family? family))
            {
                _families[name] = family = new Family(type, instrument.Description ?? "");
            }
            family.Add(labels, value, sets);
        }
    }

    private static (string Type, bool Sets) TypeOf(Instrument instrument)
    {
        string kind = instrument.GetType().Name.Split('`')[0];
        return kind switch
        {
            "Counter" => ("counter", false),
            "ObservableCounter" => ("counter", true),
            "Histogram" => ("histogram", false),
            "UpDownCounter" => ("gauge", false),
            _ => ("gauge", true),
        };
    }

    private static string NameOf(Instrument instrument, string type)
    {
        string name = string.Concat(instrument.Name.Select(c => char.IsAsciiLetterOrDigit(c) ? char.ToLowerInvariant(c) : '_'));
        string unit = instrument.Unit switch { "s" => "_seconds", "By" => "_bytes", _ => "" };
        name = name.StartsWith("threatfeeds_", StringComparison.Ordinal) ? name : "threatfeeds_" + name;
        name = name.EndsWith(unit, StringComparison.Ordinal) ? name : name + unit;
        return type == "counter" && !name.EndsWith("_total", StringComparison.Ordinal) ? name + "_total" : name;
    }

    private static string LabelsOf(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = new List<string>(tags.Length);
        foreach ((string key, object? value) in tags)
        {
            string text = Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
            string escaped = text.Replace("\\", @"\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
            labels.Add($"{key.Replace('.', '_')}=\"{escaped}\"");
        }
        labels.Sort(StringComparer.Ordinal);
        return string.Join(',', labels);
    }

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private sealed class Family(string type, string description)
    {
        private readonly SortedDictionary<string, Series> _series = new(StringComparer.Ordinal);

        public void Add(string labels, double value, bool sets)
        {
            if (!_series.TryGetValue(labels, out Series? series))
            {
                _series[labels] = series = new Series();
            }
            series.Count++;
            series.Sum = sets ? value : series.Sum + value;
            int bucket = Array.FindIndex(Bounds, b => value <= b);
            series.Buckets[bucket < 0 ? Bounds.Length : bucket]++;
        }

        public void Write(StringBuilder text, string name)
        {
            text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {description.Replace('\n', ' ')}\n# TYPE {name} {type}\n");
            foreach ((string labels, Series series) in _series)
            {
                string braces = labels.Length == 0 ? "" : "{" + labels + "}";
                if (type != "histogram")
                {
                    text.Append(CultureInfo.InvariantCulture, $"{name}{braces} {Number(series.Sum)}\n");
                    continue;
                }
                string before = labels.Length == 0 ? "" : labels + ",";
                long below = 0;
                for (int i = 0; i <= Bounds.Length; i++)
                {
                    below += series.Buckets[i];
                    text.Append(CultureInfo.InvariantCulture, $"{name}_bucket{{{before}le=\"{(i == Bounds.Length ? "+Inf" : Number(Bounds[i]))}\"}} {below}\n");
                }
                text.Append(CultureInfo.InvariantCulture, $"{name}_sum{braces} {Number(series.Sum)}\n{name}_count{braces} {series.Count}\n");
            }
        }
    }

    private sealed class Series
    {
        public long Count { get; set; }
        public double Sum { get; set; }
        public long[] Buckets { get; } = new long[Bounds.Length + 1];
    }
}

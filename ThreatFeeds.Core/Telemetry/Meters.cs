using System.Diagnostics.Metrics;

namespace ThreatFeeds.Telemetry;

/// <summary>The meter <c>ThreatFeeds</c>: what is counted of one thing each. How long work takes is in <see cref="Work"/>.</summary>
public static class Meters
{
    public const string Name = "ThreatFeeds";

    private static readonly Meter Meter = new(Name);

    /// <summary>Upper bounds of the buckets of all histograms, in seconds.</summary>
    private static readonly InstrumentAdvice<double> Bounds = new() { HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300] };

    /// <summary>Steps of a search that failed and were tried again.</summary>
    public static Counter<long> SearchFailures { get; } = Meter.CreateCounter<long>("threatfeeds_search_failures", description: "Steps of a search that failed and are tried again.");

    /// <summary>Records compared by the forward search.</summary>
    public static Counter<long> RecordsSearched { get; } = Meter.CreateCounter<long>("threatfeeds_records_searched", description: "Records compared with all indicators.");

    /// <summary>New hits.</summary>
    public static Counter<long> Hits { get; } = Meter.CreateCounter<long>("threatfeeds_hits", description: "Records and values found to be listed, each once.");

    /// <summary>Records that hit but cannot become alerts, or that could not be searched whole.</summary>
    public static Counter<long> RecordsSetAside { get; } = Meter.CreateCounter<long>("threatfeeds_records_set_aside", description: "Records that hit and cannot become alerts, or could not be searched whole, and were set aside.");

    /// <summary>Finished pulls and pushes by outcome.</summary>
    public static Counter<long> Runs { get; } = Meter.CreateCounter<long>("threatfeeds_runs", description: "Finished pulls and pushes.");

    /// <summary>Records accepted and refused.</summary>
    public static Counter<long> RecordsReceived { get; } = Meter.CreateCounter<long>("threatfeeds_records_received", description: "Records received, accepted or refused.");

    /// <summary>Seconds from the acknowledgement of a record to the commit of its hit, for records the forward search found.</summary>
    public static Histogram<double> AlertDelay { get; } = Seconds("threatfeeds_alert_delay", "From a record's acknowledgement to its alert.");

    internal static Histogram<double> Seconds(string name, string description) => Meter.CreateHistogram(name, "s", description, advice: Bounds);
}

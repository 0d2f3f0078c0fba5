using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace ThreatFeeds.Telemetry;

/// <summary>A kind of work that is watched: each piece of it is a span of that name, and its seconds go to a histogram with the label <c>outcome</c>.</summary>
public sealed class Work
{
    /// <summary>The source of the spans, for whoever exports them.</summary>
    public const string SourceName = "ThreatFeeds";

    private static readonly ActivitySource Source = new(SourceName);

    private readonly string _name;
    private readonly Histogram<double> _seconds;

    private Work(string name, string instrument, string description)
    {
        _name = name;
        _seconds = Meters.Seconds(instrument, description);
    }

    /// <summary>An accepted pull, from its start to its end; by the outcome of its run.</summary>
    public static Work Pull { get; } = new("pull", "threatfeeds_pull_duration", "Pulls, from start to end.");

    /// <summary>A body read as its feed says.</summary>
    public static Work Parse { get; } = new("parse", "threatfeeds_parse_duration", "Bodies of feeds, read.");

    /// <summary>A set put in the place of the one held; unchanged ones too.</summary>
    public static Work Replace { get; } = new("replace", "threatfeeds_replace_duration", "Sets compared with the one held, and put in its place.");

    /// <summary>A step of the forward search that found something to do.</summary>
    public static Work SearchStep { get; } = new("search step", "threatfeeds_search_step_duration", "Steps of the forward search that had records or a generation to compare.");

    /// <summary>A step of the look-backs that found something to do.</summary>
    public static Work LookBackStep { get; } = new("look-back step", "threatfeeds_look_back_step_duration", "Steps of look-backs that had records to compare.");

    /// <summary>A body of records, read and stored.</summary>
    public static Work Ingestion { get; } = new("ingestion", "threatfeeds_ingestion_duration", "Bodies of records, read and made durable.");

    /// <summary>Does a piece of it. What <paramref name="work"/> throws fails the span and is thrown on.</summary>
    public async Task<T> RunAsync<T>(Func<WorkSpan, Task<T>> work)
    {
        ArgumentNullException.ThrowIfNull(work);
        using Activity? activity = Source.StartActivity(_name);
        var span = new WorkSpan(activity);
        // Of the machine, whatever clock the product goes by: this is how long somebody waited.
        long start = TimeProvider.System.GetTimestamp();
        try
        {
            return await work(span);
        }
        catch (OperationCanceledException)
        {
            span.Ended("cancelled");
            throw;
        }
        catch (Exception problem)
        {
            span.Failed(problem);
            throw;
        }
        finally
        {
            _seconds.Record(TimeProvider.System.GetElapsedTime(start).TotalSeconds, new KeyValuePair<string, object?>("outcome", span.Outcome));
        }
    }
}

/// <summary>What is told of a piece of work: words, names and numbers of ours. Never what somebody else wrote, and no secret: spans leave the process.</summary>
public sealed class WorkSpan
{
    private readonly Activity? _activity;

    internal WorkSpan(Activity? activity) => _activity = activity;

    /// <summary>One of a few words.</summary>
    internal string Outcome { get; private set; } = "done";

    /// <summary>How it ended, in a word of a closed set.</summary>
    public void Ended(string outcome)
    {
        Outcome = outcome;
        Tell("outcome", outcome);
    }

    /// <summary>It failed; of the problem its type is told, since its message may hold what a stranger wrote.</summary>
    public void Failed(Exception problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        Ended("failed");
        _activity?.SetStatus(ActivityStatusCode.Error);
        _activity?.SetTag("error.type", problem.GetType().FullName);
    }

    public void Tell(string what, string value) => _activity?.SetTag("threatfeeds." + what, value);

    public void Tell(string what, long value) => _activity?.SetTag("threatfeeds." + what, value);

    /// <summary>Tells a URL without its query and fragment, where keys are written.</summary>
    public void Tell(Uri url) => _activity?.SetTag("url.full", url?.GetLeftPart(UriPartial.Path));
}

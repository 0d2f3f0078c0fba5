using System.Diagnostics;
using System.Diagnostics.Metrics;
using ThreatFeeds.Telemetry;
using Xunit;

namespace ThreatFeeds.Tests.Hosting;

/// <summary>What is told of a piece of work, however it ends.</summary>
public sealed class WorkTests
{
    /// <summary>What is told in the test at work.</summary>
    private static readonly AsyncLocal<Told?> _told = new();

    [Fact]
    public async Task Work_that_fails_is_said_to_with_the_type_of_the_problem_and_nothing_of_its_message()
    {
        (Activity span, string outcome) = await WatchAsync(() => throw new InvalidOperationException("a stranger's words"));
        Assert.Equal(("failed", ActivityStatusCode.Error), (outcome, span.Status));
        Assert.Equal(("failed", "System.InvalidOperationException"), (span.GetTagItem("threatfeeds.outcome"), span.GetTagItem("error.type")));
        Assert.DoesNotContain("stranger", string.Concat(span.StatusDescription, string.Join(' ', span.TagObjects)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Work_that_is_cancelled_did_not_fail()
    {
        (Activity span, string outcome) = await WatchAsync(() => throw new OperationCanceledException());
        Assert.Equal(("cancelled", ActivityStatusCode.Unset), (outcome, span.Status));
        Assert.Null(span.GetTagItem("error.type"));
    }

    [Fact]
    public async Task Of_a_URL_its_query_and_fragment_are_not_told()
    {
        (Activity span, string outcome) = await WatchAsync(span => span.Tell(new Uri("https://lists.example/a/b.txt?key=secret#more")));
        Assert.Equal(("done", "https://lists.example/a/b.txt"), (outcome, span.GetTagItem("url.full")));
    }

    private static Task<(Activity Span, string Outcome)> WatchAsync(Action act) => WatchAsync(_ => act());

    private static async Task<(Activity Span, string Outcome)> WatchAsync(Action<WorkSpan> act)
    {
        using var spans = new ActivityListener
        {
            ShouldListenTo = s => s.Name == Work.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = a => _told.Value?.Spans.Add(a),
        };
        ActivitySource.AddActivityListener(spans);
        using var meters = new MeterListener { InstrumentPublished = (instrument, l) => { if (instrument.Name == "threatfeeds_parse_duration") { l.EnableMeasurementEvents(instrument); } } };
        meters.SetMeasurementEventCallback<double>((_, _, tags, _) => _told.Value?.Outcomes.Add((string)tags[0].Value!));
        meters.Start();
        // Called where the work is done: what other tests do meanwhile stays theirs.
        Told told = _told.Value = new Told();
        await Work.Parse.RunAsync(span =>
        {
            act(span);
            return Task.FromResult(0);
        }).ContinueWith(_ => { }, TaskScheduler.Default);
        return (Assert.Single(told.Spans), Assert.Single(told.Outcomes));
    }

    private sealed class Told
    {
        public List<Activity> Spans { get; } = [];

        public List<string> Outcomes { get; } = [];
    }
}

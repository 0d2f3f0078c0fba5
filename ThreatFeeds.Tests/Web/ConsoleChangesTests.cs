using ThreatFeeds.Tests.Support;
using ThreatFeeds.Web.Data;
using Xunit;

namespace ThreatFeeds.Tests.Web;

/// <summary>Open pages hear of changes once a second at most, and of every one.</summary>
public sealed class ConsoleChangesTests : IDisposable
{
    private readonly ManualClock _clock = new();
    private readonly ConsoleChanges _changes;
    private readonly List<ConsoleChange> _told = [];

    public ConsoleChangesTests()
    {
        _changes = new ConsoleChanges(_clock);
        _changes.Changed += _told.Add;
    }

    public void Dispose() => _changes.Dispose();

    [Fact]
    public void The_first_change_is_told_at_once()
    {
        _changes.Raise(ConsoleChange.Alerts);
        Assert.Equal([ConsoleChange.Alerts], _told);
    }

    [Fact]
    public void Changes_within_a_second_are_told_together_at_its_end()
    {
        _changes.Raise(ConsoleChange.Searches);
        _changes.Raise(ConsoleChange.Searches);
        _clock.Advance(TimeSpan.FromMilliseconds(400));
        _changes.Raise(ConsoleChange.Feeds);
        _clock.Advance(TimeSpan.FromMilliseconds(599));
        Assert.Equal([ConsoleChange.Searches], _told);
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal([ConsoleChange.Searches, ConsoleChange.Searches | ConsoleChange.Feeds], _told);
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(2, _told.Count);
    }

    [Fact]
    public void A_thousand_changes_a_second_are_told_once_a_second_and_the_last_is_not_lost()
    {
        for (int i = 0; i < 10_000; i++)
        {
            _changes.Raise(ConsoleChange.Searches);
            _clock.Advance(TimeSpan.FromMilliseconds(1));
        }
        _changes.Raise(ConsoleChange.Alerts);
        Assert.InRange(_told.Count, 10, 11);
        _clock.Advance(ConsoleChanges.Pause);
        Assert.InRange(_told.Count, 11, 12);
        Assert.True(_told[^1].HasFlag(ConsoleChange.Alerts));
    }

    [Fact]
    public void After_a_quiet_second_a_change_is_told_at_once_again()
    {
        _changes.Raise(ConsoleChange.Feeds);
        _clock.Advance(ConsoleChanges.Pause);
        _changes.Raise(ConsoleChange.Alerts);
        Assert.Equal([ConsoleChange.Feeds, ConsoleChange.Alerts], _told);
    }

    [Fact]
    public void Changes_from_many_threads_at_once_are_all_told()
    {
        Parallel.For(0, 1000, i => _changes.Raise((ConsoleChange)(1 << (i % 3))));
        _clock.Advance(ConsoleChanges.Pause);
        Assert.Equal(2, _told.Count);
        Assert.Equal(ConsoleChange.Feeds | ConsoleChange.Alerts | ConsoleChange.Searches, _told[0] | _told[1]);
    }
}

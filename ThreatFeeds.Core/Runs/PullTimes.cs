using System.Security.Cryptography;
using System.Text;
using ThreatFeeds.Storage;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Runs;

/// <summary>When a feed is pulled next. A function of the last run alone, so that it survives restarts.</summary>
public static class PullTimes
{
    /// <summary>A failed pull is tried again after this time, when the period is longer.</summary>
    public static readonly TimeSpan Retry = TimeSpan.FromMinutes(15);

    /// <summary>No pull moves further than this.</summary>
    public static readonly TimeSpan MaxJitter = TimeSpan.FromSeconds(60);

    /// <summary>The next pull after a finished one: a period later, moved by at most 5 % and at most a minute, so that many feeds of one period do not all come at once.</summary>
    public static DateTimeOffset Next(RunRow last, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(last);
        TimeSpan wait = last.Outcome == RunOutcome.Failed && period > Retry ? Retry : period;
        DateTime finished = last.FinishedAt ?? last.QueuedAt;
        return new DateTimeOffset(DateTime.SpecifyKind(finished, DateTimeKind.Utc)) + wait + Jitter(last.Feed, last.Id, wait);
    }

    /// <summary>The same for the same run, so that asking twice gives one answer.</summary>
    private static TimeSpan Jitter(string feed, long run, TimeSpan wait)
    {
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{feed}/{run}"));
        double share = (BitConverter.ToUInt32(hash) / (double)uint.MaxValue * 2) - 1;
        TimeSpan most = TimeSpan.FromTicks(Math.Min(wait.Ticks / 20, MaxJitter.Ticks));
        return most * share;
    }
}

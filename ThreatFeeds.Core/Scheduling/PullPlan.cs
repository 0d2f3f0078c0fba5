using System.Collections.Concurrent;
using Quartz;
using ThreatFeeds.Feeds;
using ThreatFeeds.Pulling;
using ThreatFeeds.Sets;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Scheduling;

/// <summary>Quartz' side of the schedules: one job and one trigger for each feed that is pulled.</summary>
public sealed class PullPlan(ISchedulerFactory quartz, RunHistory runs, SetStore sets, SchedulingOptions options, TimeProvider time)
{
    private static readonly JobKey RetentionKey = new("retention", "data");

    /// <summary>What of each feed was last followed: a difference means that it must be pulled at once.</summary>
    private readonly ConcurrentDictionary<string, string> _followed = new(StringComparer.Ordinal);

    internal static JobKey KeyOf(string feed) => new(feed, "pull");

    private static TriggerKey TriggerOf(string feed) => new(feed, "pull");

    /// <summary>Brings the schedule in line with the feed.</summary>
    internal async Task FollowAsync(string name, Feed? feed, CancellationToken cancellationToken)
    {
        IScheduler scheduler = await quartz.GetScheduler(cancellationToken);
        if (feed is not { Spec: { Pull: not null, Enabled: true } })
        {
            if (feed is null)
            {
                _followed.TryRemove(name, out _);
            }
            else
            {
                // Enabling it again is a change and pulls at once.
                _followed[name] = "";
            }
            await scheduler.DeleteJob(KeyOf(name), cancellationToken);
            return;
        }
        string wanted = Wanted(feed);
        bool known = _followed.TryGetValue(name, out string? before);
        if (!known && !await NeverPulledAsync(feed, cancellationToken))
        {
            // After a start: nothing changed, so the schedule goes on where it was.
            before = wanted;
        }
        _followed[name] = wanted;
        if (before != wanted)
        {
            await runs.EnqueueAsync(feed, RunTriggers.Change, cancellationToken);
            await RunQueuedAsync(name, cancellationToken);
        }
        else
        {
            await PlanNextAsync(feed, cancellationToken);
        }
    }

    /// <summary>Plans the next pull by the schedule, a period after the last one.</summary>
    internal async Task PlanNextAsync(Feed feed, CancellationToken cancellationToken)
    {
        RunRow? last = await runs.LastPullAsync(feed.Uid, feed.Name, cancellationToken);
        DateTimeOffset now = time.GetUtcNow();
        DateTimeOffset next = last is null ? now : PullTimes.Next(last, feed.Spec.Pull!.Period);
        await PlanAtAsync(feed.Name, next > now ? next : now, cancellationToken);
    }

    /// <summary>After an error of our own, such as a database that does not answer: the schedule must not end with it.</summary>
    internal Task PlanRetryAsync(string feed, CancellationToken cancellationToken) =>
        PlanAtAsync(feed, time.GetUtcNow() + TimeSpan.FromMinutes(1), cancellationToken);

    private async Task PlanAtAsync(string feed, DateTimeOffset at, CancellationToken cancellationToken)
    {
        IScheduler scheduler = await quartz.GetScheduler(cancellationToken);
        await EnsureJobAsync(scheduler, feed, cancellationToken);
        ITrigger trigger = TriggerBuilder.Create().WithIdentity(TriggerOf(feed)).ForJob(KeyOf(feed)).StartAt(at).Build();
        if (await scheduler.RescheduleJob(TriggerOf(feed), trigger, cancellationToken) is null)
        {
            await scheduler.ScheduleJob(trigger, cancellationToken: cancellationToken);
        }
    }

    /// <summary>Lets Quartz carry out the run that was queued, now or when the active one is over.</summary>
    internal async Task RunQueuedAsync(string feed, CancellationToken cancellationToken)
    {
        IScheduler scheduler = await quartz.GetScheduler(cancellationToken);
        await EnsureJobAsync(scheduler, feed, cancellationToken);
        await scheduler.TriggerJob(KeyOf(feed), new JobDataMap { [PullJob.Queued] = "true" }, cancellationToken);
    }

    /// <summary>When the schedule pulls the feed next; null when it does not.</summary>
    public async Task<DateTimeOffset?> NextAsync(string feed, CancellationToken cancellationToken)
    {
        IScheduler scheduler = await quartz.GetScheduler(cancellationToken);
        return (await scheduler.GetTrigger(TriggerOf(feed), cancellationToken))?.NextFireTimeUtc;
    }

    internal async Task PlanRetentionAsync(CancellationToken cancellationToken)
    {
        IScheduler scheduler = await quartz.GetScheduler(cancellationToken);
        IJobDetail job = JobBuilder.Create<RetentionJob>().WithIdentity(RetentionKey).Build();
        ITrigger trigger = TriggerBuilder.Create().ForJob(job)
            .WithSimpleSchedule(s => s.WithInterval(options.RetainEvery).RepeatForever())
            .StartNow().Build();
        await scheduler.ScheduleJob(job, trigger, cancellationToken: cancellationToken);
    }

    private static async Task EnsureJobAsync(IScheduler scheduler, string feed, CancellationToken cancellationToken)
    {
        IJobDetail job = JobBuilder.Create<PullJob>().WithIdentity(KeyOf(feed)).StoreDurably().Build();
        if (await scheduler.GetJobDetail(KeyOf(feed), cancellationToken) is null)
        {
            await scheduler.AddJob(job, cancellationToken: cancellationToken);
        }
    }

    /// <summary>After a start: a feed of which no pull ended, or whose set came from elsewhere than the feed says now.</summary>
    private async Task<bool> NeverPulledAsync(Feed feed, CancellationToken cancellationToken)
    {
        if (await runs.LastPullAsync(feed.Uid, feed.Name, cancellationToken) is null)
        {
            return true;
        }
        StoredSetRow? set = await sets.CurrentAsync(feed.Uid, cancellationToken);
        return set is not null && set.Origin != FeedBodies.Origin(feed);
    }

    /// <summary>Everything of a feed whose change asks for a pull: where the body is, how it is read, what is accepted.</summary>
    private static string Wanted(Feed feed)
    {
        PullSpec pull = feed.Spec.Pull!;
        string headers = string.Join('\n', pull.Headers.Select(h => $"{h.Name}: {h.Value}{h.From}"));
        feed.Annotations.TryGetValue(FeedAnnotations.Accept, out string? accept);
        feed.Annotations.TryGetValue(FeedAnnotations.MinShare, out string? share);
        return $"{feed.Uid}\n{FeedBodies.Origin(feed)}\n{accept}\n{share}\n{headers}";
    }
}

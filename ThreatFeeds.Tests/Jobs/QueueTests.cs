using System.Reflection;
using Hangfire;
using Hangfire.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using ThreatFeeds.Actors;
using ThreatFeeds.Embedded;
using ThreatFeeds.Jobs;
using ThreatFeeds.Logs;
using ThreatFeeds.Manifests;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Pulling;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Jobs;

/// <summary>Queues of jobs stay short, whatever takes long or fails.</summary>
public sealed class QueueTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_failed_job_is_forgotten_some_time()
    {
        var contexts = new Away();
        await using FeedsHost host = await FeedsHost.CreateAsync(_folder.Path, s =>
        {
            FeedsHost.AddJobs(s, _folder.Path);
            ServiceDescriptor real = s.Last(d => d.ServiceType == typeof(IContextFactory));
            s.Replace(ServiceDescriptor.Singleton<IContextFactory>(p => contexts.Of((IContextFactory)ActivatorUtilities.CreateInstance(p, real.ImplementationType!))));
        });
        await host.StartAsync();
        contexts.Now = true;
        JobStorage storage = host.Get<JobStorage>();
        string[] ids = [.. EnqueueAll(new BackgroundJobClient(storage))];
        try
        {
            foreach (string id in ids)
            {
                await FeedsHost.UntilAsync(() => Task.FromResult(storage.GetMonitoringApi().JobDetails(id).History[0].StateName is "Failed" or "Deleted"));
                Assert.NotNull(storage.GetMonitoringApi().JobDetails(id).ExpireAt);
            }
        }
        finally
        {
            contexts.Now = false;
        }
    }

    [Fact]
    public async Task Sweeps_make_no_job_for_what_waits_already()
    {
        var open = new TaskCompletionSource();
        await using HostileServer server = await HostileServer.StartAsync(async c =>
        {
            await open.Task.WaitAsync(c.RequestAborted);
            await c.Response.WriteAsync("bad.example\n");
        });
        await using FeedsHost host = await StartAsync();
        for (int i = 0; i < 30; i++)
        {
            await host.CreateAsync($"f{i}", "DomainNameSet", $"{server.Url}/{i}");
        }
        IMonitoringApi monitor = host.Get<JobStorage>().GetMonitoringApi();
        await FeedsHost.UntilAsync(() => Task.FromResult(server.Requests.Count == 16 && monitor.EnqueuedCount("pulls") >= 14));
        for (int i = 0; i < 5; i++)
        {
            await host.Get<SweepJob>().RunAsync(default);
        }
        // Wake-ups are carried out in turn: once this one is seen, those before it are done.
        await host.CreateAsync("last", "DomainNameSet", server.Url);
        await FeedsHost.UntilAsync(() => Task.FromResult(monitor.EnqueuedJobs("pulls", 0, 1000).Any(j => j.Value.Job?.Args[0] is "last")));
        // A sweep may find a run whose job has just begun and not yet taken it, which makes one more for each worker at most.
        Assert.InRange(monitor.EnqueuedCount("pulls"), 15, 15 + 16);
        open.SetResult();
        await FeedsHost.UntilAsync(() => Task.FromResult(server.Requests.Count == 31));
    }

    [Fact]
    public async Task A_long_retention_keeps_no_sweep_waiting()
    {
        await using HostileServer server = await HostileServer.TextAsync("bad.example\n");
        var open = new TaskCompletionSource();
        var begun = new TaskCompletionSource();
        await using FeedsHost host = await FeedsHost.CreateAsync(_folder.Path, s =>
        {
            FeedsHost.AddJobs(s, _folder.Path);
            s.Replace(ServiceDescriptor.Singleton<ILogStore>(p =>
            {
                ILogStore proxy = DispatchProxy.Create<ILogStore, SlowRetention>();
                ((SlowRetention)proxy).Begin(p.GetRequiredService<EmbeddedLogStore>(), begun, open);
                return proxy;
            }));
        });
        await host.StartAsync();
        Feed feed = await host.CreateAsync("one", "DomainNameSet", server.Url);
        await FeedsHost.UntilAsync(async () => (await host.Runs.ListAsync(feed, null, 5, default)).Items is [{ FinishedAt: not null }]);
        new BackgroundJobClient(host.Get<JobStorage>()).Enqueue<RetentionJob>(j => j.RunAsync(CancellationToken.None));
        await begun.Task.WaitAsync(TimeSpan.FromSeconds(30));
        // A run whose wake-up was lost: only a sweep finds it.
        await using (ThreatFeedsContext db = host.Get<IContextFactory>().Create())
        {
            await using var transaction = await db.Database.BeginTransactionAsync();
            await host.Queue.EnqueueAsync(db, feed, RunTrigger.Manual, Actor.Local, default);
            await transaction.CommitAsync();
        }
        await FeedsHost.UntilAsync(() => Task.FromResult(server.Requests.Count == 2));
        Assert.False(open.Task.IsCompleted);
        open.SetResult();
    }

    private static IEnumerable<string> EnqueueAll(BackgroundJobClient client)
    {
        yield return client.Enqueue<PullJob>(j => j.RunAsync("one", CancellationToken.None));
        yield return client.Enqueue<DispatchJob>(j => j.RunAsync(CancellationToken.None));
        yield return client.Enqueue<SweepJob>(j => j.RunAsync(CancellationToken.None));
        yield return client.Enqueue<RetentionJob>(j => j.RunAsync(CancellationToken.None));
        yield return client.Enqueue<CompactionJob>(j => j.RunAsync(CancellationToken.None));
    }

    private async Task<FeedsHost> StartAsync()
    {
        FeedsHost host = await FeedsHost.CreateAsync(_folder.Path, s => FeedsHost.AddJobs(s, _folder.Path));
        await host.StartAsync();
        return host;
    }

    /// <summary>A database that is away when a test says so.</summary>
    private sealed class Away : IContextFactory
    {
        private IContextFactory _inner = null!;

        public volatile bool Now;

        public Away Of(IContextFactory inner)
        {
            _inner = inner;
            return this;
        }

        public ThreatFeedsContext Create() => Now ? throw new InvalidOperationException("The database is away.") : _inner.Create();

        public Task MigrateAsync(CancellationToken cancellationToken) => _inner.MigrateAsync(cancellationToken);
    }

    /// <summary>A store whose retention of old records waits until a test lets it go on.</summary>
    public class SlowRetention : DispatchProxy
    {
        private ILogStore _inner = null!;
        private TaskCompletionSource _begun = null!;
        private TaskCompletionSource _open = null!;

        public void Begin(ILogStore inner, TaskCompletionSource begun, TaskCompletionSource open) => (_inner, _begun, _open) = (inner, begun, open);

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            if (targetMethod!.Name == nameof(ILogStore.RetainAsync) && ((RetentionLimits)args![0]!).Before > DateTimeOffset.MinValue)
            {
                _begun.TrySetResult();
                return WaitAsync();
            }
            return targetMethod.Invoke(_inner, args);
        }

        private async Task<long> WaitAsync()
        {
            await _open.Task;
            return 0;
        }
    }
}

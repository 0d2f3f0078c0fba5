using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using ThreatFeeds.Embedded;
using ThreatFeeds.Logs;
using ThreatFeeds.Searching;
using ThreatFeeds.Tests.EndToEnd;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Searching;

/// <summary>Data:MaxBytes acts when it is passed, not when somebody next looks.</summary>
public sealed class SizeLimitTests
{
    [Theory]
    [OnSqlite]
    public async Task Records_go_as_soon_as_there_are_too_many(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        world.StoreMaxBytes = world.RetentionOptions.MaxBytes = 5000;
        await world.RestartAsync();
        // The clock stands still: nothing but the store's word can wake it.
        using var limit = new SizeLimit(world.Logs, world.RecordRetention, world.Clock, NullLogger<SizeLimit>.Instance);
        await limit.StartAsync(default);
        LogSource source = world.Logs.Sources.First(s => s.Kind == LogKind.Dns);
        await LiveServer.UntilAsync(() => Task.FromResult(world.Clock.Waiting > 0), TimeSpan.FromSeconds(30), () => "it does not wait");
        for (int i = 0; i < 20; i++)
        {
            await world.DnsAsync($"n{i}.example");
        }
        RangeCount count = default;
        await LiveServer.UntilAsync(
            async () =>
            {
                count = await world.Logs.CountAsync(source, default, await world.Logs.HeadAsync(source, default), default);
                return count.Deleted > 0 && count.Records < 18;
            },
            TimeSpan.FromSeconds(30), () => $"nothing was deleted: {count}");
        await limit.StopAsync(default);
        // What is kept stays below the limit, and is not thrown away wholesale.
        Assert.InRange(count.Records, 5, 17);
    }

    [Fact]
    public async Task The_setting_reaches_the_store_and_retention()
    {
        const long bytes = 100L << 20;
        await using AppFixture app = await AppFixture.StartAsync("Data:MaxBytes=104857600");
        Assert.Equal(app.Services.GetRequiredService<RetentionOptions>().MaxBytes, app.Services.GetRequiredService<EmbeddedOptions>().MaxBytes);
        Assert.Equal(bytes, app.Services.GetRequiredService<RetentionOptions>().MaxBytes);
        Assert.Contains(app.Services.GetServices<Microsoft.Extensions.Hosting.IHostedService>(), s => s is SizeLimit);
    }
}

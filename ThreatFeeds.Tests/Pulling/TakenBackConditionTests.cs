using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Http;
using ThreatFeeds.Actors;
using ThreatFeeds.Manifests;
using ThreatFeeds.Pushing;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Pulling;

/// <summary>Conditions of a way to get a set are taken back when the feed has gone over to the other way and that went well.</summary>
public sealed class TakenBackConditionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_pull_that_failed_is_forgotten_when_the_feed_is_pushed_instead()
    {
        await using HostileServer server = await HostileServer.StartAsync(c =>
        {
            c.Response.StatusCode = 500;
            return Task.CompletedTask;
        });
        await using FeedsHost host = await FeedsHost.CreateAsync(_folder.Path);
        await host.PullAsync(await host.CreateAsync("one", "DomainNameSet", server.Url));
        Assert.Single(await host.ConditionsAsync("one"));
        await host.ReplaceAsync("one", "DomainNameSet");

        await PushAsync(host, """{"domains":["a.example"]}""");

        Assert.Empty(await host.ConditionsAsync("one"));
    }

    [Fact]
    public async Task A_push_that_was_refused_is_forgotten_when_the_feed_is_pulled_instead()
    {
        await using HostileServer server = await HostileServer.TextAsync("bad.example\n");
        await using FeedsHost host = await FeedsHost.CreateAsync(_folder.Path);
        await host.CreateAsync("one", "DomainNameSet");
        await PushAsync(host, """{"domains":[]}""");
        Assert.Single(await host.ConditionsAsync("one"));

        Assert.Equal(RunOutcome.Replaced, (await host.PullAsync(await host.ReplaceAsync("one", "DomainNameSet", server.Url))).Outcome);

        Assert.Empty(await host.ConditionsAsync("one"));
    }

    private static async Task PushAsync(FeedsHost host, string document)
    {
        var read = PushDocument.Read(ContentKind.DomainNameSet, new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(document)), default);
        await host.Get<PushSet>().PushAsync("one", read, Actor.Local, default);
    }
}

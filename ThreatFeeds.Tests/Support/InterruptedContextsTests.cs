using ThreatFeeds.Storage;
using Xunit;

namespace ThreatFeeds.Tests.Support;

public sealed class InterruptedContextsTests
{
    [Fact]
    public void A_write_that_fails_is_told_and_does_not_count_as_carried_out()
    {
        var contexts = new InterruptedContexts(new Nothing());
        contexts.Interrupt(1, () => throw new InvalidTimeZoneException("asserted in between"));
        Assert.Throws<InvalidTimeZoneException>(contexts.Create);
        Assert.False(contexts.Interrupted);
    }

    private sealed class Nothing : IContextFactory
    {
        public ThreatFeedsContext Create() => throw new NotSupportedException();

        public Task MigrateAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

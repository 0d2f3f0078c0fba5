using Xunit;

namespace ThreatFeeds.Tests.Support;

public sealed class ManualClockTests
{
    [Fact]
    public async Task Delays_end_in_their_order_when_the_clock_passes_them()
    {
        var clock = new ManualClock();
        var ended = new List<int>();
        Task second = Task.Delay(TimeSpan.FromMinutes(2), clock, CancellationToken.None).ContinueWith(_ => ended.Add(2), TaskContinuationOptions.ExecuteSynchronously);
        Task first = Task.Delay(TimeSpan.FromMinutes(1), clock, CancellationToken.None).ContinueWith(_ => ended.Add(1), TaskContinuationOptions.ExecuteSynchronously);
        clock.Advance(TimeSpan.FromSeconds(59));
        Assert.Empty(ended);
        clock.Advance(TimeSpan.FromMinutes(5));
        await Task.WhenAll(first, second);
        Assert.Equal([1, 2], ended);
    }

    [Fact]
    public void A_periodic_timer_fires_once_for_each_period()
    {
        var clock = new ManualClock();
        int fired = 0;
        using ITimer timer = clock.CreateTimer(_ => fired++, null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        clock.Advance(TimeSpan.FromSeconds(3.5));
        Assert.Equal(3, fired);
    }
}

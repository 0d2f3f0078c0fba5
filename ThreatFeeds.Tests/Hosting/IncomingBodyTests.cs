using System.IO.Pipelines;
using ThreatFeeds.Api.Hosting;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Hosting;

/// <summary>How long a body may take: what its bytes allow, and only for what its sender keeps others waiting.</summary>
public sealed class IncomingBodyTests : IDisposable
{
    private readonly ManualClock _clock = new();
    private readonly BodyBudget _budget = new(1L << 20);
    private readonly HeldBytes _held;
    private readonly Pipe _sender = new(new PipeOptions(pauseWriterThreshold: 0));
    private readonly IncomingBody _body;
    private readonly byte[] _buffer = new byte[100_000];

    public IncomingBodyTests()
    {
        _held = new HeldBytes(_budget);
        _body = new IncomingBody(_sender.Reader, _held, new BodyOptions { MinBytesPerSecond = 1000 }, _clock) { CountedByReader = true };
    }

    public void Dispose()
    {
        _body.Dispose();
        _held.Dispose();
    }

    [Fact]
    public async Task What_came_quickly_buys_no_longer_silence_than_the_grace()
    {
        await SendAsync(60_000);
        Assert.Equal(60_000, await _body.ReadAsync(_buffer));
        Task<int> next = _body.ReadAsync(_buffer).AsTask();
        _clock.Advance(TimeSpan.FromMilliseconds(9_999));
        Assert.False(next.IsCompleted);
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        await Assert.ThrowsAsync<BodyTooSlowException>(() => next);
    }

    [Fact]
    public async Task What_comes_gives_back_what_waiting_used_up()
    {
        Task<int> reading = _body.ReadAsync(_buffer).AsTask();
        _clock.Advance(TimeSpan.FromSeconds(9));
        await SendAsync(5000);
        Assert.Equal(5000, await reading);
        // One second was left, and five thousand bytes are five more.
        Task<int> next = _body.ReadAsync(_buffer).AsTask();
        _clock.Advance(TimeSpan.FromMilliseconds(5_999));
        Assert.False(next.IsCompleted);
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        await Assert.ThrowsAsync<BodyTooSlowException>(() => next);
    }

    [Fact]
    public async Task A_body_that_trickles_uses_its_time_up_little_by_little()
    {
        for (int second = 1; second < 20; second++)
        {
            ValueTask<int> trickle = _body.ReadAsync(_buffer);
            _clock.Advance(TimeSpan.FromSeconds(1));
            // After s seconds 300 (s - 1) bytes have come, which allow 10 + 0.3 (s - 1).
            if (second > 10 + 0.3 * (second - 1))
            {
                await Assert.ThrowsAsync<BodyTooSlowException>(trickle.AsTask);
                Assert.Equal(14, second);
                return;
            }
            await SendAsync(300);
            Assert.Equal(300, await trickle);
        }
        Assert.Fail("it may trickle for ever");
    }

    [Fact]
    public async Task A_body_that_keeps_its_pace_may_last_as_long_as_it_will()
    {
        for (int second = 0; second < 1000; second++)
        {
            ValueTask<int> reading = _body.ReadAsync(_buffer);
            _clock.Advance(TimeSpan.FromSeconds(1));
            await SendAsync(1000);
            Assert.Equal(1000, await reading);
        }
    }

    [Fact]
    public async Task What_the_call_does_between_two_readings_is_not_the_senders()
    {
        for (int hour = 0; hour < 5; hour++)
        {
            await SendAsync(1);
            Assert.Equal(1, await _body.ReadAsync(_buffer));
            _clock.Advance(TimeSpan.FromHours(1));
        }
    }

    [Fact]
    public async Task A_call_that_is_broken_off_is_not_called_slow()
    {
        using var gone = new CancellationTokenSource();
        Task<int> reading = _body.ReadAsync(_buffer, gone.Token).AsTask();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
    }

    [Fact]
    public async Task What_no_reader_counts_is_counted_as_the_objects_it_becomes()
    {
        _body.CountedByReader = false;
        await SendAsync(1000);
        Assert.Equal(1000, await _body.ReadAsync(_buffer));
        Assert.Equal(16_000, _budget.Held);
        await SendAsync(65_000);
        await Assert.ThrowsAsync<BudgetFullException>(() => _body.ReadAsync(_buffer).AsTask());
        _held.Dispose();
        Assert.Equal(0, _budget.Held);
    }

    private Task<FlushResult> SendAsync(int bytes) => _sender.Writer.WriteAsync(new byte[bytes]).AsTask();
}

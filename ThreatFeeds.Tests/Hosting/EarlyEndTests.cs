using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ThreatFeeds.Api.Hosting;
using Xunit;

namespace ThreatFeeds.Tests.Hosting;

/// <summary>A process told to end while its services start.</summary>
public sealed class EarlyEndTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task To_be_told_to_end_while_services_start_is_logged_as_no_error()
    {
        (Exception thrown, int errors) = await StartAsync(told: true);
        Assert.IsAssignableFrom<OperationCanceledException>(thrown);
        Assert.Equal(0, errors);
    }

    [Fact]
    public async Task Services_that_cannot_start_are_logged_as_an_error()
    {
        (Exception thrown, int errors) = await StartAsync(told: false);
        Assert.IsType<InvalidOperationException>(thrown);
        Assert.Equal(1, errors);
    }

    private static async Task<(Exception, int)> StartAsync(bool told)
    {
        using var end = new CancellationTokenSource();
        using var errors = new Errors();
        var starting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using IHost host = new HostBuilder().ConfigureServices(services =>
        {
            services.AddLogging(l => l.ClearProviders().AddProvider(errors));
            EarlyEnd.Add(services, end.Token);
            services.AddSingleton<IHostedService>(new Slow(starting, fails: !told));
        }).Build();
        Task start = host.StartAsync(end.Token);
        await starting.Task.WaitAsync(Bound);
        if (told)
        {
            await end.CancelAsync();
        }
        return ((await Record.ExceptionAsync(() => start.WaitAsync(Bound)))!, errors.Count);
    }

    private sealed class Slow(TaskCompletionSource starting, bool fails) : IHostedService
    {
        public async Task StartAsync(CancellationToken cancellationToken)
        {
            starting.TrySetResult();
            if (fails)
            {
                throw new InvalidOperationException("It cannot start.");
            }
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private sealed class Errors : ILoggerProvider, ILogger
    {
        private int _count;

        public int Count => _count;

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                Interlocked.Increment(ref _count);
            }
        }

        public void Dispose() { }
    }
}

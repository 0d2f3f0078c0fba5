namespace ThreatFeeds.Api.Hosting;

/// <summary>To be told to end while services start is no failure; the host knows no other word for it, and would log one.</summary>
internal sealed class EarlyEnd(CancellationToken told) : IHostedLifecycleService
{
    /// <summary>Whose logger says that services could not be started.</summary>
    private const string Host = "Microsoft.Extensions.Hosting.Internal.Host";

    private volatile bool _started;

    /// <param name="told">Cancelled when the process is told to end; what the host is started with.</param>
    public static void Add(IServiceCollection services, CancellationToken told)
    {
        var end = new EarlyEnd(told);
        services.AddSingleton<IHostedService>(end);
        services.Configure<LoggerFilterOptions>(o => o.AddFilter(Host, end.IsTold));
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        _started = true;
        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private bool IsTold(LogLevel level) => level >= LogLevel.Warning && (level < LogLevel.Error || _started || !told.IsCancellationRequested);
}

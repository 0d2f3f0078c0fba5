using System.Globalization;

namespace ThreatFeeds.Api.Hosting;

/// <summary>
/// How the process ends when it is told to: requests under way get their answer, those that take too long, and those that come after, a 503; jobs are told at
/// once. All of it is over within <c>Hosting:ShutdownSeconds</c>.
/// </summary>
internal sealed class OrderlyStop : IDisposable
{
    /// <summary>Of the time there is, what requests may take before they are broken off, so that their answer still gets out.</summary>
    private const double ShareOfRequests = 0.6;

    private readonly CancellationTokenSource _late = new();
    private readonly IHostApplicationLifetime _lifetime;
    private readonly ITimer _timer;

    public OrderlyStop(Settings settings, IHostApplicationLifetime lifetime, TimeProvider time)
    {
        _lifetime = lifetime;
        _timer = time.CreateTimer(_ => _late.Cancel(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        TimeSpan patience = TimeSpan.FromSeconds(settings.Hosting.ShutdownSeconds) * ShareOfRequests;
        lifetime.ApplicationStopping.Register(() => _timer.Change(patience, Timeout.InfiniteTimeSpan));
    }

    public static void Add(IServiceCollection services, Settings settings)
    {
        services.AddSingleton<OrderlyStop>();
        services.Configure<HostOptions>(host =>
        {
            host.ShutdownTimeout = TimeSpan.FromSeconds(settings.Hosting.ShutdownSeconds);
            // One after another, a slow request would leave the jobs no time.
            host.ServicesStopConcurrently = true;
        });
    }

    /// <summary>Must stand before whatever may take long.</summary>
    public static void Use(WebApplication app)
    {
        OrderlyStop stop = app.Services.GetRequiredService<OrderlyStop>();
        app.Use(stop.InvokeAsync);
    }

    public void Dispose()
    {
        _timer.Dispose();
        _late.Dispose();
    }

    private async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (_lifetime.ApplicationStopping.IsCancellationRequested)
        {
            await AnswerAsync(context);
            return;
        }
        CancellationToken gone = context.RequestAborted;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(gone, _late.Token);
        context.RequestAborted = either.Token;
        try
        {
            await next(context);
        }
        catch (Exception problem) when (problem is OperationCanceledException or IOException && _late.IsCancellationRequested && !gone.IsCancellationRequested && !context.Response.HasStarted)
        {
            context.RequestAborted = gone;
            await AnswerAsync(context);
        }
        finally
        {
            context.RequestAborted = gone;
        }
    }

    private static Task AnswerAsync(HttpContext context)
    {
        context.Response.Clear();
        context.Response.Headers.Connection = "close";
        context.Response.Headers.RetryAfter = ProblemExceptionHandler.RetryAfterSeconds.ToString(CultureInfo.InvariantCulture);
        var problem = new ProblemResult(StatusCodes.Status503ServiceUnavailable, "stopping", "Stopping", "The server is stopping; ask again when it is back.");
        return ErrorShape.AnswerAsync(context, problem);
    }
}

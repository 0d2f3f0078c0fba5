namespace ThreatFeeds.Web.Shared;

/// <summary>One timer per circuit, so that relative times ("12 min ago") stay true without a timer each.</summary>
public sealed class Ticker(TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(15);
    private readonly Lock _lock = new();
    private Action? _ticked;
    private ITimer? _timer;

    public DateTimeOffset Now => time.GetUtcNow();

    public event Action? Ticked
    {
        add
        {
            lock (_lock)
            {
                _ticked += value;
                _timer ??= time.CreateTimer(_ => _ticked?.Invoke(), null, Every, Every);
            }
        }
        remove
        {
            lock (_lock)
            {
                _ticked -= value;
            }
        }
    }

    public void Dispose() => _timer?.Dispose();
}

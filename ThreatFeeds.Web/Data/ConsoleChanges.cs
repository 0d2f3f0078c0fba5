namespace ThreatFeeds.Web.Data;

/// <summary>Tells open pages that something they may show has changed.</summary>
public sealed class ConsoleChanges
{
    /// <summary>
    /// Raised after something shown by the console changed, from any thread. Pages wait a moment and ask again, so raising it too
    /// often is harmless. Handlers return at once.
    /// </summary>
    public event Action<ConsoleChange>? Changed;

    internal void Raise(ConsoleChange change) => Changed?.Invoke(change);
}

namespace ThreatFeeds.Sets;

/// <summary>What is stored of a set does not give the set.</summary>
public sealed class DamagedSetException : Exception
{
    public DamagedSetException() { }
    public DamagedSetException(string message) : base(message) { }
    public DamagedSetException(string message, Exception? inner) : base(message, inner) { }

    /// <summary>The stored set it was found in: the one that was asked, or the base whose chunks that shares.</summary>
    internal long SetId { get; init; }

    /// <summary>The same, with the feed's name and what to do.</summary>
    public DamagedSetException Of(string feed) => new(
        $"The stored set of feed {feed} is damaged: {Message} Pull or push the feed once more; the next body replaces it, whether it changed or not.", this);
}

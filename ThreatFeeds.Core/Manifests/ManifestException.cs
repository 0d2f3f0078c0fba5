namespace ThreatFeeds.Manifests;

/// <summary>A text that is no manifest at all: not JSON, not the YAML we read, too deep, too big.</summary>
public sealed class ManifestException : Exception
{
    public ManifestException(long line, long column, string message, Exception? inner = null)
        : base($"line {line}, column {column}: {message}", inner)
    {
        Line = line;
        Column = column;
        Reason = message;
    }

    /// <summary>One-based.</summary>
    public long Line { get; }

    /// <summary>One-based.</summary>
    public long Column { get; }

    /// <summary>The message without the place.</summary>
    public string Reason { get; }
}

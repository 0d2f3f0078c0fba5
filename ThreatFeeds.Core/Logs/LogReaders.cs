namespace ThreatFeeds.Logs;

/// <summary>The log formats that can be read, by name.</summary>
public sealed class LogReaders
{
    private readonly Dictionary<string, ILogReader> _readers;

    public LogReaders(IEnumerable<ILogReader> readers) => _readers = readers.ToDictionary(r => r.Format, StringComparer.OrdinalIgnoreCase);

    /// <summary>The name of the format taken when the sender names none.</summary>
    public const string DefaultFormat = CalicoReader.FormatName;

    /// <summary>Names of the formats, sorted.</summary>
    public IReadOnlyList<string> Formats => [.. _readers.Keys.Order(StringComparer.Ordinal)];

    /// <summary>The reader of a format (any case), or null.</summary>
    public ILogReader? Find(string format) => _readers.GetValueOrDefault(format);

    /// <summary>The reader of a format (any case).</summary>
    /// <exception cref="UnknownLogFormatException">Nobody reads it; the message lists the formats that are known.</exception>
    public ILogReader Get(string format) => Find(format) ?? throw new UnknownLogFormatException($"The log format '{format}' is not known. Known formats: {string.Join(", ", Formats)}.");
}

/// <summary>No reader has this format.</summary>
public sealed class UnknownLogFormatException : Exception
{
    public UnknownLogFormatException() { }
    public UnknownLogFormatException(string message) : base(message) { }
    public UnknownLogFormatException(string message, Exception inner) : base(message, inner) { }
}

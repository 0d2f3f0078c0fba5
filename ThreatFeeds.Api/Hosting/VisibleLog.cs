using System.Collections;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Api.Hosting;

/// <summary>
/// The log as it is written, whoever logs and in whichever of the console's formats: nothing of a message, a scope or an exception can begin a line, or move the
/// terminal of whoever reads it. The lines of a stack trace stay lines; the formats set each behind the first in.
/// </summary>
internal static class VisibleLog
{
    /// <summary>Must stand behind everything that adds a format.</summary>
    public static void Add(IServiceCollection services)
    {
        foreach (ServiceDescriptor format in services.Where(s => s.ServiceType == typeof(ConsoleFormatter) && s.ImplementationType is not null).ToList())
        {
            services.Remove(format);
            services.AddSingleton<ConsoleFormatter>(p => new VisibleFormatter((ConsoleFormatter)ActivatorUtilities.CreateInstance(p, format.ImplementationType!)));
        }
    }

    private static string Message(string text) => VisibleText.Whole(text);

    /// <summary>Of a log's values and scopes those that are written as they are cannot hide anything.</summary>
    private static object? Value(object? value) => value switch
    {
        null or bool or char and >= ' ' and <= '~' or sbyte or byte or short or ushort or int or uint or long or ulong or float or double or decimal => value,
        IReadOnlyList<KeyValuePair<string, object?>> members => new VisibleState(members, Message(members.ToString() ?? "")),
        IEnumerable<KeyValuePair<string, object?>> members => new VisibleState([.. members], Message(members.ToString() ?? "")),
        IEnumerable items and not string => Message(string.Join(", ", items.Cast<object?>())),
        _ => Message(Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture) ?? ""),
    };

    private sealed class VisibleFormatter(ConsoleFormatter format) : ConsoleFormatter(format.Name)
    {
        public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
        {
            string text = Message(logEntry.Formatter?.Invoke(logEntry.State, logEntry.Exception) ?? "");
            object state = logEntry.State is IReadOnlyList<KeyValuePair<string, object?>> members ? new VisibleState(members, text) : text;
            var entry = new LogEntry<object>(
                logEntry.LogLevel, Message(logEntry.Category), logEntry.EventId, state, logEntry.Exception is { } exception ? new VisibleException(exception) : null, (_, _) => text);
            format.Write(entry, scopeProvider is null ? null : new VisibleScopes(scopeProvider), textWriter);
        }
    }

    private sealed class VisibleState(IReadOnlyList<KeyValuePair<string, object?>> members, string text) : IReadOnlyList<KeyValuePair<string, object?>>
    {
        public int Count => members.Count;

        public KeyValuePair<string, object?> this[int index] => new(Message(members[index].Key), Value(members[index].Value));

        public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() => Enumerable.Range(0, Count).Select(i => this[i]).GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        public override string ToString() => text;
    }

    private sealed class VisibleScopes(IExternalScopeProvider scopes) : IExternalScopeProvider
    {
        public void ForEachScope<TState>(Action<object?, TState> callback, TState state) => scopes.ForEachScope((scope, s) => callback(Value(scope), s), state);

        public IDisposable Push(object? state) => scopes.Push(state);
    }

    /// <summary>Is only ever written.</summary>
    private sealed class VisibleException(Exception exception) : Exception(VisibleText.Whole(exception.Message))
    {
        public override string? StackTrace => exception.StackTrace;

        public override string ToString()
        {
            string text = exception.ToString();
            foreach (string message in Messages(exception))
            {
                // Before the lines are parted: a line break in a message is none of ours.
                text = text.Replace(message, VisibleText.Whole(message), StringComparison.Ordinal);
            }
            return string.Join(Environment.NewLine, text.Split('\n').Select(line => VisibleText.Whole(line.TrimEnd('\r'))));
        }

        private static IEnumerable<string> Messages(Exception exception)
        {
            IEnumerable<Exception> inner = exception is AggregateException many ? many.InnerExceptions : exception.InnerException is { } one ? [one] : [];
            return inner.SelectMany(Messages).Prepend(exception.Message).Where(m => m.Length > 0 && VisibleText.Whole(m) != m);
        }
    }
}

using ThreatFeeds.Logs;

namespace ThreatFeeds.Embedded;

/// <summary>What waits for the writing loop.</summary>
internal sealed partial class KindWriter
{
    private readonly record struct Staged(Append Append, FrameHeader Header, bool Repeated);

    private abstract class Work
    {
        public virtual void Run(KindWriter writer) { }
    }

    private sealed class Append(byte[] frame, int count, string? key, CancellationToken cancellationToken) : Work
    {
        public byte[] Frame => frame;
        public int Count => count;
        public string? Key => key;
        public CancellationToken CancellationToken => cancellationToken;
        public TaskCompletionSource<AppendResult> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class Errand<T>(Func<KindWriter, T> action) : Work
    {
        public TaskCompletionSource<T> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override void Run(KindWriter writer)
        {
            try
            {
                Done.TrySetResult(action(writer));
            }
            catch (Exception e)
            {
                Done.TrySetException(e);
            }
        }
    }
}

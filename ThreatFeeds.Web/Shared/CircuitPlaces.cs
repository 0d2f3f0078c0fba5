using Microsoft.AspNetCore.Components.Server.Circuits;

namespace ThreatFeeds.Web.Shared;

/// <summary>How many pages are open: each is a circuit, which holds memory here as long as the page is there, and for a while after its connection was lost.</summary>
/// <param name="most">Pages that may be open at once.</param>
internal sealed class CircuitPlaces(int most)
{
    private int _taken;

    public int Most => most;

    public int Taken => Volatile.Read(ref _taken);

    public bool IsFull => Taken >= most;

    public bool TryTake()
    {
        if (Interlocked.Increment(ref _taken) <= most)
        {
            return true;
        }
        Interlocked.Decrement(ref _taken);
        return false;
    }

    public void Leave() => Interlocked.Decrement(ref _taken);
}

/// <summary>Gives each circuit its place, and ends one for which there is none. Made anew for each.</summary>
internal sealed class CircuitPlace(CircuitPlaces places) : CircuitHandler
{
    private bool _taken;

    public override Task OnCircuitOpenedAsync(Circuit circuit, CancellationToken cancellationToken) => (_taken = places.TryTake())
        ? Task.CompletedTask
        : throw new InvalidOperationException($"{places.Most} pages of the console are open, and no more can be.");

    public override Task OnCircuitClosedAsync(Circuit circuit, CancellationToken cancellationToken)
    {
        if (_taken)
        {
            _taken = false;
            places.Leave();
        }
        return Task.CompletedTask;
    }
}

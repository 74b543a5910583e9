namespace Epcis.Events;

/// <summary>
/// Where the fields of one event stand in its document, for as long as the reader stands on that event: an index of every
/// identifier would be larger than the event.
/// </summary>
internal abstract class EventPlaces
{
    /// <param name="path">Such as <c>bizStep</c>, <c>epcList/3</c> or <c>sensorElementList/0/sensorReport/1/uom</c>.</param>
    /// <returns>The place of the field, or of the nearest one around it that is known.</returns>
    public abstract Place? Find(string path);
}

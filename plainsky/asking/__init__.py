"""What others are asked: DID documents, handles, the AppView, and who asks us. Guarded, bounded, and no reader is ever logged."""

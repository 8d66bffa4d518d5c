"""Hand-crafted features: improved dense trajectories and Fisher vectors (thesis section 2.1.1).

::

    flow.py           optical flow between frames, and the camera's share of it
    trajectories.py   points that are followed along the flow
    descriptors.py    HOG, HOF and MBH around a trajectory
    extraction.py     a clip to the descriptors of all its trajectories
    fisher.py         any number of descriptors to one vector
    classifier.py     the whole, with the forward pass of a network
    learning.py       PCA, GMM and SVM, fitted by scikit-learn
"""
